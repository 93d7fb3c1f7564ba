"""Read at the lottery what became of one application, by its receipt number, as staff at the telephone do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.lottery.places.stored_place import Actor
from shared.contracts import StaffActed
from shared.ids import Receipt
from shared.storage import OUTBOX
from tests.support.applicants import new_applicant
from tests.support.browser import DESKTOP, keep_picture, opened, overflows, violations
from tests.support.draw_builders import sample_campaign
from tests.support.lottery_harness import Office, Town
from tests.support.lottery_pages_harness import LotteryHarness, run_lottery
from tests.support.places_harness import KIDS, After
from tests.support.staff_sign_in import DEFAULT

CAMPAIGN = sample_campaign()
PATH = f"/draws/{CAMPAIGN.id}"


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotteryHarness]:
    home = tmp_path_factory.mktemp("receipt")
    with run_lottery(mongo_url, f"{home.name}_receipt", home, CAMPAIGN) as running:
        running.take_in(CAMPAIGN, 200)
        yield running


def test_before_the_results_the_page_says_where_the_application_stands(harness: LotteryHarness, browser: Browser):
    receipt = next(iter(harness.people.values())).receipt
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(page, f"{PATH}/receipts/{receipt}")
        expect(page.locator("#receipt-state")).to_have_text("この申込みは、抽選の対象です。")
        expect(page.locator("#not-published")).to_be_visible()
        page.goto(f"{PATH}/receipts/{new_applicant(CAMPAIGN.id, 'web').receipt}")
        expect(page.locator("#receipt-state")).to_contain_text("まだ抽選に届いていません")
        assert violations(page) == []
        answer = page.goto(f"{PATH}/receipts/W-0000-0000-9")
        assert answer is not None
        assert answer.status == 404


def test_who_reads_the_results_of_one_application_is_recorded(harness: LotteryHarness, browser: Browser):
    known = next(iter(harness.people.values())).receipt

    async def read(office: Office) -> list[tuple[str, str, str]]:
        rows = office.store.db[OUTBOX].find({"name": StaffActed.name}).sort("_id", 1)
        events = [StaffActed.model_validate_json(row["body"]) async for row in rows]
        return [(item.sub, item.act, item.case) for event in events for item in event.items]

    before = len(harness.do(CAMPAIGN, read))
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(page, f"{PATH}/receipts/{new_applicant(CAMPAIGN.id, 'web').receipt}")
        page.goto(PATH)
        page.goto(f"{PATH}/receipts/{known}")
    assert harness.do(CAMPAIGN, read)[before:] == [(DEFAULT, "read-results", known)]


def test_after_the_draw_the_page_shows_each_class_as_it_is_now(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    harness.clock.at = CAMPAIGN.draw.at
    harness.advance(CAMPAIGN)
    harness.do(CAMPAIGN, lambda office: office.enter_chance())
    harness.advance(CAMPAIGN, times=2)
    winner = Receipt(harness.winner(CAMPAIGN, KIDS))
    entry = next(name for name, person in harness.people.items() if person.receipt == winner)

    async def withdraw(office: Office) -> None:
        after = After.of(Town(CAMPAIGN, harness.clock, (office,), ()))
        await after.places.answer(CAMPAIGN.id, entry, KIDS, "withdraw", Actor("yamada-01"))

    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(page, f"{PATH}/receipts/{winner}")
        row = page.locator(f'#of-receipt tr[data-class="{KIDS}"]')
        expect(row).to_contain_text("当選しています")
        expect(row).to_contain_text("番目")
        classes = page.locator("#of-receipt tbody tr").count()
        harness.do(CAMPAIGN, withdraw)
        page.reload()
        expect(page.locator("#of-receipt tbody tr")).to_have_count(classes)
        expect(row).to_have_attribute("data-outcome", "gone")
        expect(row).to_contain_text("辞退されました。")
        expect(page.locator("#events li")).to_contain_text(["辞退"])
        expect(page.locator("#events li").first).to_contain_text("yamada-01")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-receipt", tmp_path)
