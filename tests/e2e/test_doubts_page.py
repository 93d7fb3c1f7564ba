"""A handler decides two doubts at the desk without a mouse, and takes one decision back."""

import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, keep_picture, opened, overflows, tab_to, violations
from tests.support.doubts_harness import DoubtsDesk, doubts_desk
from tests.support.identity_builders import person, pupil
from tests.support.people_harness import HANDLER, PASSWORD
from tests.support.served_app import Served, served

T = TypeVar("T")
HOME = "東京都新宿区西新宿2-8-1 203"
TABLET = {"width": 834, "height": 1112}
PEOPLE = (
    person(name="髙橋 一郎"),
    person(name="高𣘺　一郎", phone="0312345678", email=None),
    pupil(name="田中 美咲", address=HOME, postal_code="1600023", phone="09011112222", guardian_name="田中 恵子"),
    pupil(name="タナカ ミサキ", address="西新宿二丁目8番1号", postal_code="1600023", phone="09011112222"),
)


class Site:
    """The desk, served to browsers by a thread."""

    def __init__(self, at: Served[DoubtsDesk]) -> None:
        self.do, self.desk, self.vault = at.do, at.harness, f"http://vault.localhost:{at.port}"


@contextmanager
def serving(mongo_url: str, folder: Path) -> Iterator[Site]:
    def opened_desk(port: int) -> AbstractAsyncContextManager[DoubtsDesk]:
        origins = {name: f"http://{name}.localhost:{port}" for name in ("vault", "lottery")}
        return doubts_desk(mongo_url, f"t{secrets.token_hex(4)}", folder, origins)

    with served(opened_desk, lambda desk: desk.staff.app) as at:
        yield Site(at)


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running_site:
        yield running_site


async def prepare(desk: DoubtsDesk, origin: str) -> None:
    """Make the first two people and a handler, and let people apply."""
    staff = desk.staff
    codes = await staff.first()
    browsers = [staff.browser(origin) for _ in range(3)]
    desk.responsible, desk.ward, handler = browsers
    await staff.accept(desk.responsible, "suzuki-01", codes["responsible"])
    await staff.accept(desk.ward, "mori-01", codes["ward"])
    await desk.invite(HANDLER["id"], "handler")
    await staff.accept(handler, HANDLER["id"], desk.code)
    await desk.apply(PEOPLE)
    await desk.apply([person(name="佐藤 花子", phone="0398765432", postal_code="1640003")], doubts=["postal-mismatch"])


def sign_in(site: Site, page: Page) -> None:
    """Sign in by keyboard."""
    page.goto("/sign-in?next=/desk/doubts")
    code = site.do(site.desk.staff.fresh_code(HANDLER["id"]))
    for name, text in (("id", HANDLER["id"]), ("password", PASSWORD), ("code", code)):
        tab_to(page, name)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/doubts")


def decide(page: Page, downs: int, reason: int) -> None:
    """Choose by arrow keys and send; the first choice has the focus when the page opens.

    `downs`: presses to the choice; `reason`: to the reason in its list.
    """
    expect(page.locator("#choice-first")).to_be_focused()
    page.keyboard.press("Space")
    for _ in range(downs):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#reason")).to_be_focused()
    for _ in range(reason):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/doubts")


def test_two_doubts_are_decided_by_keyboard(site: Site, browser: Browser, tmp_path: Path):
    site.do(prepare(site.desk, site.vault))
    with opened(browser, site.vault, DESKTOP) as page:
        sign_in(site, page)
        expect(page.locator("#waiting")).to_contain_text("2組、住所1件")
        assert "髙橋" not in page.content()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "desk-doubts", tmp_path)
        expect(page.locator("#open-1")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#comparison mark").first).to_be_visible()
        assert violations(page) == []
        assert not overflows(page)
        keep_picture(page, "desk-doubt", tmp_path)
        decide(page, 0, 1)
        expect(page.locator("#waiting")).to_contain_text("1組")
        page.keyboard.press("Enter")
        decide(page, 3, 5)
        expect(page.locator("#decided tbody tr")).to_have_count(2)
        assert sorted(site.do(site.desk.states()).values()) == ["accepted", "accepted", "accepted", "held", "rejected"]
        assert violations(page) == []
        tab_to(page, "undo-1")
        page.keyboard.press("Enter")
        expect(page.locator("#waiting")).to_contain_text("1組")
        tab_to(page, "address-1")
        page.keyboard.press("Enter")
        expect(page.locator("#towns")).to_contain_text("中野区東中野")
        assert violations(page) == []
        for size in (TABLET, PHONE):
            page.set_viewport_size(size)
            assert not overflows(page)
        page.goto("/en/desk/doubts")
        assert violations(page) == []
