"""Staff watch a draw and take part in it: on a phone and on a desk, with the keyboard, in Japanese and in English."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.e2e.lottery_house import LotteryHouse, lottery_house
from tests.unit.lottery.draws import sample_campaign

SAMPLE = sample_campaign()
OTHER = SAMPLE.model_copy(update={"id": "autumn-walk"})
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def house(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LotteryHouse]:
    home = tmp_path_factory.mktemp("lottery")
    with lottery_house(mongo_url, f"{home.name}_lottery", home, SAMPLE, OTHER) as running:
        running.take_in(SAMPLE, 900)
        yield running


def step(page: Page, name: str) -> str:
    return page.get_attribute(f"[data-step={name}]", "class") or ""


def typed(page: Page, field: str, digits: str) -> None:
    tab_to(page, field)
    page.keyboard.type(digits)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(house: LotteryHouse, browser: Browser):
    with opened(browser, house.url) as page:
        house.sign_in(page, "/draws")
        expect(page.locator(".signed-in")).to_contain_text("yamada-01")
        assert page.locator(".campaigns li").count() == 2
        page.get_by_role("link", name=SAMPLE.title.ja).first.click()
        expect(page.locator("#live-now")).to_contain_text("受付期間:進行中です")
        page.goto("/draws/no-such")
        expect(page.locator("h1")).to_have_text("ページが見つかりません")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_is_readable_for_everybody(
    house: LotteryHouse, browser: Browser, size: dict[str, int], tmp_path: Path
):
    with opened(browser, house.url, size) as page:
        house.sign_in(page, f"/en/draws/{SAMPLE.id}" if size == DESKTOP else f"/draws/{SAMPLE.id}")
        assert page.locator("#demand tbody tr").count() == len(SAMPLE.classes)
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, f"draws-{size['width']}", tmp_path)
