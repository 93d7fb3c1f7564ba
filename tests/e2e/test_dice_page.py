"""Two witnesses enter their dice at the ceremony's page by keyboard, and a screen in the room follows by itself."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.vault.dice.repository import ACTS
from shared.contracts import DiceRequested
from shared.ids import CampaignId
from tests.e2e.test_people_pages import Site, enrol, serving
from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.people_harness import DAY

CAMPAIGN = CampaignId("777-days")
ROUND_AT = DAY + timedelta(minutes=30)
ONE, OTHER = "31415926535897932384", "27182818284590452353"


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running_site:
        yield running_site


def ask_for_dice(site: Site) -> None:
    """Ask for dice as the lottery does once a list is frozen."""
    event = DiceRequested(
        campaign=CAMPAIGN, draw=f"{CAMPAIGN}-1", number=1, manifest_sha256="ab" * 32,
        opens=DAY, round_at=ROUND_AT, witnesses=2,
    )  # fmt: skip
    service, store = site.harness.dice.service, site.harness.store
    site.do(store.transact(lambda uow: service.on_requested([event], uow)))


def enter(page: Page, typed: str) -> None:
    """Type the digits, look at them once more, and confirm, all by keyboard."""
    tab_to(page, "digits")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.locator("#send")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#entry")).to_be_hidden()


async def _count_acts(site: Site) -> int:
    return await site.harness.store.db[ACTS].count_documents({})


def test_two_witnesses_enter_their_dice_by_keyboard_while_the_room_watches(
    site: Site, browser: Browser, tmp_path: Path
):
    codes = site.do(site.harness.first())
    with opened(browser, site.vault, DESKTOP) as room, opened(browser, site.vault, PHONE) as ward:
        enrol(room, "suzuki-01", codes["responsible"])
        enrol(ward, "mori-01", codes["ward"])
        room.goto("/desk/me")
        room.get_by_role("link", name="抽選の立会い").first.press("Enter")
        expect(room.locator("body")).to_contain_text("抽選対象一覧はまだ確定していません")

        ask_for_dice(site)
        room.reload()
        expect(room.locator(".witnesses .missing")).to_have_count(2)
        expect(room.locator("#countdown")).to_contain_text("締切まで")

        ward.goto(f"/desk/dice/{CAMPAIGN}")
        tab_to(ward, "digits")
        ward.keyboard.type("1234")
        expect(ward.locator("#digits-count")).to_contain_text("4/20")
        ward.keyboard.press("Enter")
        expect(ward.locator("#digits-error")).to_contain_text("20桁必要")
        assert violations(ward) == []
        assert not overflows(ward)
        ward.locator("#digits").press("Control+a")
        enter(ward, f"{ONE[:10]} {ONE[10:]}")

        expect(room.locator(".witnesses .given")).to_have_count(1, timeout=30_000)
        expect(room.locator(".witnesses")).to_contain_text("区")
        keep_picture(room, "ceremony-one", tmp_path)
        assert ONE not in room.content()

        enter(room, OTHER)
        expect(room.locator(".witnesses .given")).to_have_count(2)
        expect(room.locator("#next-heading + p")).to_contain_text("立会人全員の出目がそろいました")
        expect(ward.locator(".witnesses .given")).to_have_count(2, timeout=30_000)
        assert violations(room) == []
        assert not overflows(room)
        keep_picture(room, "ceremony-complete", tmp_path)
        expect(room.locator("#to-draws")).to_have_attribute("href", f"{site.lottery}/draws/{CAMPAIGN}")
        expect(room.locator("#to-verify")).to_have_attribute("href", f"{site.lottery}/verify/{CAMPAIGN}")
    assert site.do(_count_acts(site)) == 2


def test_a_ceremony_whose_digits_are_missing_says_what_to_do(site: Site, browser: Browser):
    codes = site.do(site.harness.first())
    ask_for_dice(site)
    site.harness.clock.at = ROUND_AT - timedelta(seconds=29)
    with opened(browser, site.vault, DESKTOP) as page:
        enrol(page, "suzuki-01", codes["responsible"])
        page.goto(f"/desk/dice/{CAMPAIGN}")
        expect(page.locator("#next-heading + p")).to_contain_text("後の回で抽選する")
        expect(page.locator("#entry")).to_be_hidden()
        assert violations(page) == []
