"""A further round is opened by two people from the pages, drawn, and seen by staff and by an applicant who won."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from services.lottery.draw.rules.states import DrawState
from services.lottery.places.repository import PLACES
from shared.approvals import ApprovalKind
from shared.codes import EntryId, format_code
from tests.support.applicants import Applicant
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.draw_builders import sample_campaign
from tests.support.executed_approvals import approval_content, executed
from tests.support.intake_receipts import play_intake
from tests.support.lottery_harness import Office, Town
from tests.support.lottery_pages_harness import LotteryHarness, run_lottery
from tests.support.places_harness import KIDS, After, leave_class

CAMPAIGN = sample_campaign()
PATH = f"/draws/{CAMPAIGN.id}"
SEATS = 10
"""Seats of the class that everybody leaves."""


@pytest.fixture(scope="module")
def harness(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotteryHarness]:
    """Run a lottery whose results are out, after which everybody has left one class."""
    home = tmp_path_factory.mktemp("further")
    with run_lottery(mongo_url, f"{home.name}_further", home, CAMPAIGN) as running:
        running.take_in(CAMPAIGN, 600)
        running.clock.at = CAMPAIGN.draw.at
        running.advance(CAMPAIGN)
        running.do(CAMPAIGN, lambda office: office.enter_chance())
        running.advance(CAMPAIGN, times=2)

        async def leave(office: Office) -> None:
            await leave_class(After.of(Town(CAMPAIGN, running.clock, (office,), ())), KIDS)

        running.do(CAMPAIGN, leave)
        yield running


def approved_by_another(address: str, requested_by: str) -> str:
    """Return the document that the vault gives the requester once another person has approved."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["campaign"] == CAMPAIGN.id
    content = approval_content(
        ApprovalKind(asked["kind"]), asked["campaign"], json.loads(asked["params"]), requested_by
    )
    return json.dumps(executed(content))


def test_two_people_open_a_further_round_from_the_page_with_the_keyboard(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    with opened(browser, harness.site, DESKTOP) as page:
        harness.sign_in(page, PATH)
        page.locator(".further summary").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".further-seats li").first).to_have_text(f"4 エスコートキッズ体験: {SEATS}人")
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-further", tmp_path)
        request = page.locator(".further a.request")
        document = approved_by_another(request.get_attribute("href") or "", "yamada-01")
        tab_to(page, "further-approval")
        page.keyboard.insert_text("承認ではない文字")
        tab_to(page, "further-round")
        page.keyboard.press("Enter")
        expect(page.locator(".further .refused")).to_contain_text("有効な承認がありません")
        assert harness.draw(CAMPAIGN).number == 1
        page.fill("#further-approval", "")
        page.locator("#further-approval").focus()
        page.keyboard.insert_text(document)
        tab_to(page, "further-round")
        page.keyboard.press("Enter")
        expect(page.locator("h1 ~ p", has_text="追加抽選です")).to_be_visible()
    assert harness.draw(CAMPAIGN).state is DrawState.FREEZING


def test_the_round_is_drawn_and_staff_see_that_earlier_places_stand(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    """After the opening of the test before."""
    harness.advance(CAMPAIGN)
    harness.do(CAMPAIGN, lambda office: office.enter_chance())
    harness.advance(CAMPAIGN, times=2)
    assert harness.draw(CAMPAIGN).state is DrawState.PUBLISHED
    with opened(browser, harness.site) as page:
        harness.sign_in(page, PATH)
        expect(page.locator("main")).to_contain_text("第2回は追加抽選です。これまでの当選はそのままです。")
        kids = page.locator("#results tbody tr").nth(3).locator("td")
        expect(kids.nth(2)).to_have_text("–", timeout=5_000)
        assert "-" not in page.inner_text("#results tbody"), "a number of seats below zero"
        kids_now = page.locator("#places tbody tr").nth(3).locator("td")
        assert kids_now.all_inner_texts()[:4] == [str(SEATS), str(SEATS), "0", "0"]
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "draws-further-drawn", tmp_path)


def test_an_applicant_who_won_in_the_round_sees_it_with_receipt_number_and_code(
    harness: LotteryHarness, browser: Browser, tmp_path: Path
):
    """After the draw of the test before."""
    winner = winner_of(harness)
    with opened(browser, harness.url, PHONE) as page:
        asked = play_intake(page, [winner])
        page.goto(f"/c/{CAMPAIGN.id}/withdraw")
        tab_to(page, "number")
        page.keyboard.type(winner.receipt)
        tab_to(page, "code")
        page.keyboard.type(format_code(winner.code))
        page.keyboard.press("Enter")
        card = page.locator("#places li").filter(has=page.get_by_role("heading", name="エスコートキッズ体験"))
        expect(card).to_contain_text("当選しています")
        expect(card).to_contain_text("空いた席の追加抽選で当選されました。")
        expect(card).to_contain_text("追加抽選でこの教室の対象になった")
        assert len(asked) == 1
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "own-result-further", tmp_path)


def winner_of(harness: LotteryHarness) -> Applicant:
    """Return an applicant who holds a place that the round gave."""

    async def entry(office: Office) -> str:
        found = await office.store.db[PLACES].find_one({"class_id": KIDS, "state": "held"})
        assert found is not None
        return str(found["entry"])

    return harness.people[EntryId(harness.do(CAMPAIGN, entry))]
