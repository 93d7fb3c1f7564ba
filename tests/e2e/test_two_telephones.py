"""Two people on two telephones: one corrects, one withdraws, and after the draw each finds what became of the entry."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.demo import phases
from deploy.demo.chance import enter_dice
from deploy.demo.installation import make_team, open_staff_client
from deploy.demo.phases import EventRun
from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from deploy.demo.run import QUICK, installation_of
from deploy.local.processes import Watchdog
from deploy.local.stack import Options, Stack
from shared.clock import set_rehearsal_clock
from tests.e2e.conftest import Office
from tests.e2e.test_form import CAMPAIGN, Typed, fill, other_name, send
from tests.support.browser import PHONE, keep_picture, opened, overflows, violations

SMALL = {**PHONE, "width": 390}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Run the sample event an hour after its window opened, with the settings of the demo."""
    home = tmp_path_factory.mktemp("two")
    campaign = rehearsal_of(SAMPLE, home / "campaigns")
    clock_file = home / "clock.json"
    set_rehearsal_clock(clock_file, campaign.window.opens + timedelta(hours=1))
    options = Options(home / "campaigns", clock_file, more=QUICK)
    with Watchdog() as watchdog, Stack(home, options, watchdog=watchdog) as stack:
        yield Office(stack, campaign, clock_file).opened()


def draw(office: Office, folder: Path) -> None:
    """Let the office freeze the list and draw, as in the demo."""

    async def play() -> None:
        installation = installation_of(office.stack, office.campaign)
        async with open_staff_client(installation, await make_team(installation)) as staff:
            run = EventRun(staff, folder)
            await phases.freeze(run)
            await enter_dice(run.staff)
            await phases.draw(run)

    with ThreadPoolExecutor(1) as pool:  # this thread's loop is the browser's
        pool.submit(lambda: asyncio.run(play())).result(300)


def numbers(page: Page) -> tuple[str, str, str]:
    """Return receipt number, code and entry number of the receipt that is shown."""
    return page.inner_text("#receipt"), page.inner_text("#code"), page.inner_text("#entry-number")


def ask_status(page: Page, receipt: str, code: str) -> None:
    page.goto(f"/c/{CAMPAIGN}/status")
    page.fill("#receipt", receipt)
    page.fill("#code", code)
    page.click("#ask button")
    expect(page.locator("#own-number")).to_be_visible()


def test_two_people_correct_withdraw_and_find_what_became_of_their_entries(
    office: Office, browser: Browser, tmp_path: Path
):
    with opened(browser, office.url, SMALL) as one, opened(browser, office.url, SMALL) as other:
        one.goto(f"/c/{CAMPAIGN}/apply")
        fill(one, other_name(Typed(), "一人目 花子"))
        send(one)
        expect(one.locator("#status-now .status-complete")).to_be_visible()
        other.goto(f"/c/{CAMPAIGN}/apply")
        fill(other, other_name(Typed(), "二人目 桃子"))
        send(other)
        expect(other.locator("#status-now .status-complete")).to_be_visible()
        one.click("#correct")
        one.uncheck("#class-press-kids")
        send(one)
        expect(one.locator("#status-now .status-complete")).to_be_visible()
        other.click("#withdraw")
        other.click("#send-withdrawal")
        expect(other.locator("#status-now .status-withdrawn")).to_be_visible()
        (receipt, code, entry), gone = numbers(one), numbers(other)
        assert len({receipt, code, entry, *gone}) == 6
        draw(office, tmp_path)

        finds_the_own_result(one, receipt, code, tmp_path)
        follows_the_own_entry(one, entry)
        computes_the_own_entry(one, office, receipt, code)
        finds_no_entry(other, *gone)


def finds_the_own_result(page: Page, receipt: str, code: str, folder: Path) -> None:
    """Go from the status page to the own result."""
    ask_status(page, receipt, code)
    expect(page.locator("#answer")).to_contain_text("抽選は終わりました")
    assert violations(page) == []
    keep_picture(page, "two-status", folder)
    page.click("#result a")
    expect(page.locator("#number")).to_have_value(receipt)
    page.fill("#code", code)
    page.keyboard.press("Enter")
    cards = page.locator("#places > li")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("親子の食育教室")
    expect(cards).to_contain_text("当選しています")
    expect(cards).to_contain_text("この教室を希望した1件のうち1番目")
    assert violations(page) == []
    assert not overflows(page)
    keep_picture(page, "two-result", folder)


def follows_the_own_entry(page: Page, entry: str) -> None:
    """Follow the entry by its number at /verify."""
    page.goto(page.url.replace(f"/c/{CAMPAIGN}/withdraw", f"/verify/{CAMPAIGN}"))
    expect(page.locator("#verdict")).to_have_class(re.compile("verdict-good"))
    page.fill("#who", entry)
    page.keyboard.press("Enter")
    expect(page.locator("#path")).to_contain_text(entry)
    expect(page.locator("#path .endings")).to_contain_text("当選")
    assert violations(page) == []


def computes_the_own_entry(page: Page, office: Office, receipt: str, code: str) -> None:
    """Compute the entry on the device, from receipt number and code, and check the receipt document."""
    page.fill("#who", receipt)
    page.fill("#code", code)
    page.click("#follow-form button")
    expect(page.locator("#path")).to_contain_text("この機器で計算しました")
    expect(page.locator("#path .endings")).to_contain_text("当選")
    assert office.campaign.id in page.url


def finds_no_entry(page: Page, receipt: str, code: str, entry: str) -> None:
    """See that a withdrawn application has no result and stands on no list."""
    ask_status(page, receipt, code)
    expect(page.locator("#answer")).to_contain_text("取り下げられています")
    expect(page.locator("#result")).to_be_hidden()
    page.goto(page.locator("#result a").get_attribute("href") or "")
    page.fill("#number", receipt)
    page.fill("#code", code)
    page.keyboard.press("Enter")
    expect(page.locator("#no-places")).to_contain_text("抽選の結果はありません")
    page.goto(page.url.replace(f"/c/{CAMPAIGN}/withdraw", f"/verify/{CAMPAIGN}"))
    expect(page.locator("#verdict")).to_have_class(re.compile("verdict-good"))
    page.fill("#who", entry)
    page.keyboard.press("Enter")
    expect(page.locator("#who-error")).to_contain_text("見つかりません")
    assert violations(page) == []
