"""Staff watch a draw and take part in it: on a phone and on a desk, with the keyboard, in Japanese and in English."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.lottery.draw.rules.states import DrawState
from shared.approvals import ApprovalKind
from shared.campaign import Campaign, quicknet
from shared.campaign.model import Beacon
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.chance import DICE
from tests.support.draw_builders import sample_campaign
from tests.support.executed_approvals import approval_content, executed
from tests.support.lottery_pages_harness import LotteryHarness, run_lottery

SAMPLE = sample_campaign()
ROUND = 657413
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
"""Of quicknet's round 657413, long after the sample's draw."""
OTS = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108")
"""How an OpenTimestamps proof of a SHA-256 begins."""
HOUR = timedelta(hours=1)


def variant(name: str, **draw: object) -> Campaign:
    """Return the sample event under another id, with other rules of the draw."""
    return SAMPLE.model_copy(update={"id": name, "draw": SAMPLE.draw.model_copy(update=draw)})


HELD, ROLLED, MISSED = variant("held"), variant("rolled"), variant("missed")
BEACON = variant(
    "beacon",
    source="beacon",
    beacon=Beacon(chain=quicknet.CHAIN, public_key=quicknet.PUBLIC_KEY, round=ROUND),
    objection_hours=24,
)


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotteryHarness]:
    home = tmp_path_factory.mktemp("lottery")
    with run_lottery(mongo_url, f"{home.name}_draws", home, SAMPLE, HELD, ROLLED, MISSED, BEACON) as running:
        running.take_in(SAMPLE, 900)
        yield running


LONGEST_S = 120
"""Longest wait for the page to follow its server, on a machine that does other work."""


def live(page: Page) -> Page:
    """Give the page a clock of its own, so that the test does not wait for its next request to the server."""
    page.clock.install()
    return page


def approved(link: Locator) -> str:
    """Return the executed approval of the request to which the link leads at the vault."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link.get_attribute("href") or "").query).items()}
    params = json.loads(asked["params"])
    return json.dumps(executed(approval_content(ApprovalKind(asked["kind"]), asked["campaign"], params, "yamada-01")))


def comes(page: Page, selector: str, text: str) -> None:
    """Wait until the page shows the text without a reload."""
    ends = time.monotonic() + LONGEST_S
    while time.monotonic() < ends:
        page.clock.run_for(3_000)
        with suppress(AssertionError):
            expect(page.locator(selector)).to_contain_text(text, timeout=300)
            return
    expect(page.locator(selector)).to_contain_text(text)


def stands(page: Page, step: str, state: str) -> None:
    """Wait until the timeline shows the text without a reload."""
    comes(page, f"[data-step={step}].step-{state}", "")


def test_a_person_is_sent_to_the_vaults_sign_in_page_and_back(harness: LotteryHarness, browser: Browser):
    with opened(browser, harness.site) as page:
        page.goto("/")
        page.wait_for_url("**/draws")
        expect(page.locator(".signed-in")).to_contain_text("yamada-01")
        assert page.locator(".campaigns li").count() == 5
        assert violations(page) == []
        page.get_by_role("link", name=SAMPLE.title.ja).first.click()
        expect(page.locator("#live-now")).to_contain_text("受付期間:進行中です")
        page.goto("/draws/no-such")
        expect(page.locator("h1")).to_have_text("ページが見つかりません")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_demand_is_shown_beside_the_places_and_everybody_can_read_it(
    harness: LotteryHarness, browser: Browser, size: dict[str, int], tmp_path: Path
):
    with opened(browser, harness.site, size) as page:
        harness.sign_in(page, f"/draws/{SAMPLE.id}" if size == DESKTOP else f"/en/draws/{SAMPLE.id}")
        lines = page.locator("#demand tbody tr")
        assert lines.count() == len(SAMPLE.classes)
        entries = [int(line.locator("td").nth(3).inner_text()) for line in lines.all()]
        assert sum(entries) == sum(1 + number % 3 for number in range(900))
        assert violations(page) == []
        assert not overflows(page)
        page.click("#try")
        expect(page.locator("#tried tbody tr")).to_have_count(len(SAMPLE.classes))
        assert harness.draw(SAMPLE).state is DrawState.OPEN
        keep_picture(page, "draws" if size == DESKTOP else "draws-en", tmp_path)


def test_an_incomplete_list_is_frozen_only_with_a_reason_and_an_approval(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    harness.take_in(HELD, 30, held=2)
    harness.clock.at = HELD.draw.at
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(live(page), f"/draws/{HELD.id}")
        stands(page, "freeze", "waiting")
        expect(page.locator("[data-step=freeze]")).to_contain_text("確認待ち(保留)の申込みが 2 件")
        keep_picture(page, "draws-waiting", tmp_path)
        page.fill("#override_reason", "本人と連絡が取れないため")
        page.fill("#override-approval", "not an approval")
        page.click("#freeze-incomplete")
        expect(page.locator(".refused")).to_contain_text("有効な承認がありません")
        page.fill("#override-approval", approved(page.locator("[aria-labelledby=override-heading] a.request")))
        tab_to(page, "freeze-incomplete")
        page.keyboard.press("Enter")
        stands(page, "dice", "waiting")
        expect(page.locator("#live-results")).to_contain_text("(28 件)")
        shown = page.text_content(".stamp .exact") or ""
        digest = bytes.fromhex(shown.removeprefix("SHA-256: "))
        page.click(".stamp summary")
        for content, locator, text in (
            (bytes(32), ".stamp .refused", "タイムスタンプではありません"),
            (digest, "#did", "抽選公告にタイムスタンプを添える: 受け付けました"),
        ):
            page.set_input_files("#stamp", {"name": "a.ots", "mimeType": "", "buffer": OTS + content})
            page.click(".stamp button")
            expect(page.locator(locator)).to_contain_text(text)
    assert harness.draw(HELD).manifest.line.count("本人と連絡が取れないため") == 1


def test_the_page_leads_to_the_witnesses_and_takes_photographs_of_the_dice(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    photograph = tmp_path / "dice.jpg"
    photograph.write_bytes(b"dice" * 300_000)
    hashed = f"sha256:{hashlib.sha256(photograph.read_bytes()).hexdigest()}"
    harness.take_in(ROLLED, 400)
    harness.clock.at = ROLLED.draw.at
    harness.advance(ROLLED)
    with opened(browser, harness.site) as page:
        harness.sign_in(live(page), f"/draws/{ROLLED.id}")
        stands(page, "dice", "waiting")
        expect(page.locator("#live-now")).to_contain_text("立会人があと2人")
        assert (page.get_attribute("#to-ceremony", "href") or "").endswith(f"/desk/dice/{ROLLED.id}")
        page.click(".evidence summary")
        page.set_input_files("#evidence", photograph)
        page.click(".evidence button")
        expect(page.locator("#did")).to_contain_text("さいころの写真又は録画を添える: 受け付けました")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-dice", tmp_path)
        harness.do(ROLLED, lambda office: office.enter_chance())
        stands(page, "dice", "done")
        comes(page, "[data-step=dice]", "立会人 2人のうち 2人が入力しました")
    draw = harness.draw(ROLLED)
    assert (draw.dice, draw.dice_evidence) == (DICE, (hashed,))
    assert [given.actor for given in draw.given] == ["ward+auditor", "yamada"]


def test_what_was_drawn_appears_by_itself(harness: LotteryHarness, browser: Browser, tmp_path: Path):
    """After the dice of the test before."""
    with opened(browser, harness.site) as page:
        harness.sign_in(live(page), f"/draws/{ROLLED.id}")
        stands(page, "draw", "now")
        harness.advance(ROLLED, times=2)
        stands(page, "notices", "now")
        kids = page.locator("#results tbody tr").nth(3).locator("td")
        expect(kids.first).to_have_text("10")
        heads = page.locator("#results thead th").all_inner_texts()[6:10]
        assert heads == ["落選(満席)", "落選(残席が人数に不足)", "見送り(当選数の上限)", "見送り(時間の重なり)"]
        assert [int(text.replace(",", "")) for text in kids.all_inner_texts()[5:9]] == harness.losses(
            ROLLED, "escort-kids"
        )
        expect(page.locator("#live-history")).to_contain_text("抽選しました")
        page.click(".answer summary")
        page.fill("#answer-receipt", harness.winner(ROLLED, "escort-kids").lower())
        page.select_option("#answer-class", "escort-kids")
        assert violations(page) == []
        page.keyboard.press("Tab")
        page.click(".answer button")
        expect(page.locator("#did")).to_contain_text("辞退・返事: 受け付けました")
        comes(page, "#live-history", "辞退: 4 エスコートキッズ体験")
        expect(page.locator("#places tbody tr").nth(3).locator("td").last).to_have_text("1")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-drawn", tmp_path)


def test_the_page_says_that_all_is_done_only_when_no_applicant_is_left_to_tell(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    """After the draw of the test before."""
    with opened(browser, harness.url) as page:
        harness.sign_in(live(page), f"/draws/{ROLLED.id}")
        expect(page.locator("#live-now")).to_contain_text("お知らせの件数は、まだ届いていません")
        harness.count_notices(ROLLED, told=0, to_tell=0)
        comes(page, "#live-now", "済み 0 件")
        stands(page, "notices", "now")
        harness.count_notices(ROLLED, told=380, to_tell=17, to_telephone=3)
        comes(page, "#live-now", "済み 380 件、まだ 17 件、電話で連絡 3 件")
        stands(page, "notices", "now")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-notices", tmp_path)
        harness.count_notices(ROLLED, told=400, to_tell=0)
        stands(page, "notices", "done")
        comes(page, "#live-now", "すべての方へお知らせしました")
        page.goto(f"/en/draws/{ROLLED.id}")
        expect(page.locator("#live-now")).to_contain_text("400 told, 0 still to be told, 0 on the telephone list")


def test_a_beacons_value_is_pasted_when_its_time_has_come(harness: LotteryHarness, browser: Browser):
    harness.take_in(BEACON, 30)
    harness.clock.at = BEACON.draw.at
    harness.advance(BEACON)
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(live(page), f"/draws/{BEACON.id}")
        stands(page, "objection", "now")
        stands(page, "beacon", "later")
        harness.clock.at = BEACON.draw.at + 24 * HOUR
        stands(page, "beacon", "waiting")
        comes(page, "#live-now", "に発表されます")
        harness.clock.at = quicknet.time_of(ROUND) + HOUR
        comes(page, "#live-now", "まだ届いていません")
        page.fill("#signature", SIGNATURE[::-1])
        page.keyboard.press("Enter")
        expect(page.locator(".refused")).to_contain_text("乱数が使えません")
        page.fill("#signature", SIGNATURE)
        page.keyboard.press("Enter")
        stands(page, "beacon", "done")
        harness.advance(BEACON, times=2)
        stands(page, "notices", "now")
        page.click(".redraw summary")
        page.fill("#redraw-reason", "抽選対象一覧に誤りがあったため")
        page.fill("#redraw-approval", approved(page.locator(".redraw a.request").last))
        page.check("[name=reopen]")
        page.click(".redraw button")
        comes(page, "#live-past", "抽選対象一覧に誤りがあったため")
        assert harness.draw(BEACON).number == 2
        assert violations(page) == []


def test_a_draw_without_its_digits_is_given_up_in_public_for_a_later_round_by_approval(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    harness.take_in(MISSED, 30)
    harness.clock.at = MISSED.draw.at
    harness.advance(MISSED)
    first = harness.draw(MISSED).manifest
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(live(page), f"/draws/{MISSED.id}")
        stands(page, "dice", "waiting")
        assert page.locator("#later-round").count() == 0
        harness.clock.at = first.beacon.at
        comes(page, "#live-now", "立会人2人の出目がそろわないまま")
        page.fill("#later-round-approval", "not an approval")
        page.click("#later-round")
        expect(page.locator(".refused")).to_contain_text("有効な承認がありません")
        page.fill("#later-round-approval", approved(page.locator("[aria-labelledby=later-round-heading] a.request")))
        keep_picture(page, "draws-later-round", tmp_path)
        tab_to(page, "later-round")
        page.keyboard.press("Enter")
        comes(page, "#live-past", "取りやめ:立会人の出目がそろわなかったため")
        assert violations(page) == []
    second = harness.draw(MISSED)
    assert (second.number, second.freeze.beacon_round > first.beacon.round) == (2, True)


def test_the_page_says_when_staff_are_signed_out_or_offline(harness: LotteryHarness, browser: Browser):
    with opened(browser, harness.site) as page:
        harness.sign_in(live(page), f"/draws/{SAMPLE.id}")
        page.context.set_offline(True)
        comes(page, "#away", "サーバーに届きません")
        page.context.set_offline(False)
        comes(page, "#away[hidden]", "")
        page.context.clear_cookies()
        comes(page, "#away", "サインインの時間が切れました")
