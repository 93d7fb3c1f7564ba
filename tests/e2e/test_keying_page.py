"""Handlers key papers with the keyboard alone: faxes and postcards, our sheet and free-form, twice, and resolved."""

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from services.vault.papers.draft_repository import COLLECTION as DRAFTS
from services.vault.papers.draft_repository import StoredDraft
from services.vault.papers.keying_repository import KEYINGS
from shared.ids import PaperId
from shared.staff_roles import Role
from tests.support.browser import DESKTOP, keep_picture, opened, overflows, violations
from tests.support.desk_harness import FIRST, SECOND, THIRD, Desk
from tests.support.desk_harness import opened as opened_desk
from tests.support.paper_builders import WrittenPaper, written_papers
from tests.support.served_app import Served, served

T = TypeVar("T")

MOST_KEYS = 12
"""Keys of navigation a paper: all that move on, choose, mark or save, and no text."""

TABLET = {"width": 820, "height": 1180}
NAVIGATION = (
    "Enter", "Tab", "Escape", "F2", "F4", "F8", "F9", "F10", "PageDown", "PageUp", "ArrowUp", "ArrowDown", "+", "-",
)  # fmt: skip


class Site:
    """A desk served to browsers by a thread."""

    def __init__(self, at: Served[Desk]) -> None:
        self.do, self.desk, self.url = at.do, at.harness, f"http://vault.localhost:{at.port}"

    def add(self, paper: WrittenPaper) -> PaperId:
        return self.do(self.desk.paper(paper.file, paper.channel))


@contextmanager
def serving(mongo_url: str, folder: Path) -> Iterator[Site]:
    def desk_at(port: int) -> AbstractAsyncContextManager[Desk]:
        origins = {name: f"http://{name}.localhost:{port}" for name in ("vault", "lottery", "notifier")}
        return opened_desk(mongo_url, f"t{secrets.token_hex(4)}", folder, origins=origins)

    with served(desk_at, lambda desk: desk.app) as at:
        yield Site(at)


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running:
        for staff_id in (FIRST, SECOND, THIRD):
            running.do(running.desk.headers(staff_id))
        yield running


class Keyer:
    """One person at the keyboard of the page. The mouse is off: a click fails the test."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page, self.navigation = site, page, 0
        page.add_init_script("addEventListener('pointerdown', () => { throw new Error('a mouse') }, true)")

    def start(self) -> None:
        self.page.goto("/desk/papers/777-days")
        expect(self.page.locator("#desk, #idle").locator("visible=true")).to_be_visible()

    def press(self, key: str) -> None:
        self.navigation += 1
        self.page.keyboard.press(key)

    @property
    def paper(self) -> PaperId | None:
        found = self.page.locator("#desk").get_attribute("data-paper")
        return None if found is None else PaperId(found)

    def type(self, text: str) -> None:
        """Type as an input method does: the text comes at once."""
        self.page.keyboard.insert_text(text)

    def wait_for_another(self, than: PaperId) -> None:
        shows_another = "id => document.querySelector('#desk').dataset.paper !== id"
        self.page.wait_for_function(f"{shows_another} && !document.querySelector('#say .wrong')", arg=than)

    def key(self, paper: WrittenPaper, name: str | None = None) -> None:
        """Key the paper on the screen as a person reads it."""
        before = self.paper
        assert before is not None
        for number, sheet in enumerate(paper.sheets):
            if number:
                self.press("Escape")
                self.press("1")
            self._sheet(sheet, name if number == 0 else None)
        self.press("Enter")
        self.wait_for_another(before)

    def _sheet(self, sheet: dict[str, str], name: str | None) -> None:
        self.type(name or sheet["name"])
        self.press("Enter")
        self.type(sheet["postal_code"])
        expect(self.page.locator("#f-address")).to_have_value(sheet["town"])
        self.press("Enter")
        self.type(sheet["street"])
        self.press("Enter")
        self.type(sheet["phone"])
        self.press("Enter")
        self.type(sheet["age_or_grade"])
        self.press("Enter")
        if sheet["guardian"]:
            self.type(sheet["guardian"])
            self.press("Enter")
        for key in sheet["classes"]:
            self.press(key)
        self.press("Enter")


@contextmanager
def at_desk(site: Site, browser: Browser, staff_id: str, roles: frozenset[Role] | None = None) -> Iterator[Keyer]:
    headers = site.do(site.desk.headers(staff_id, roles or frozenset({Role.HANDLER})))
    name, _, value = headers["Cookie"].partition("=")
    with opened(browser, site.url, DESKTOP) as page:
        page.context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield Keyer(site, page)


def test_forty_papers_are_keyed_twice_and_resolved_without_a_mouse(site: Site, browser: Browser, tmp_path: Path):
    papers = {site.add(paper): paper for paper in written_papers()}
    assert sorted(paper.channel for paper in papers.values()) == ["fax"] * 30 + ["post"] * 10
    misread = {id_ for number, id_ in enumerate(papers) if number % 8 == 3}
    with (
        at_desk(site, browser, FIRST) as first,
        at_desk(site, browser, SECOND) as second,
        at_desk(site, browser, THIRD) as third,
    ):
        for keyer, others in ((first, misread), (second, set[PaperId]())):
            keyer.start()
            keyed = 0
            while (paper := keyer.paper) is not None:
                written, before = papers[paper], keyer.navigation
                keyer.key(written, "読み違い" if paper in others else None)
                keyed += 1
                sheets = len(written.sheets)
                assert keyer.navigation - before <= MOST_KEYS * sheets, written
            assert keyed == len(papers)
        third.start()
        keep_picture(third.page, "keying-third", tmp_path)
        assert violations(third.page) == []
        resolved = 0
        while (paper := third.paper) is not None:
            before, marked = third.navigation, third.page.locator("#both-name mark")
            assert sorted(marked.all_inner_texts()) != []
            left = third.page.locator("#both-name .value").first.inner_text()
            third.press("F4" if left == "読み違い" else "F2")
            third.press("Enter")
            third.press("Enter")
            third.wait_for_another(paper)
            assert third.navigation - before <= MOST_KEYS
            resolved += 1
        assert resolved == len(misread)
    settled = site.do(site.desk.settled())
    assert {event.paper_id for event in settled} == set(papers)
    assert sum(len(event.applications) for event in settled) == sum(len(paper.sheets) for paper in papers.values())
    written_names = [sheet["name"] for paper in papers.values() for sheet in paper.sheets]
    assert sorted(site.do(keyed_names(site.desk))) == sorted(written_names)


def test_keys_fill_the_town_mark_fields_choose_classes_and_enter_waits_for_the_input_method(
    site: Site, browser: Browser, tmp_path: Path
):
    site.add(written_papers()[0])
    with at_desk(site, browser, FIRST) as first:
        page = first.page
        page.goto("/desk")
        keep_picture(page, "desk-home", tmp_path)
        assert violations(page) == []
        assert not overflows(page)
        first.start()
        expect(page.locator("#f-name")).to_be_focused()
        first.type("髙橋")
        for extra in ({"isComposing": True, "keyCode": 13}, {"keyCode": 229}):
            page.locator("#f-name").dispatch_event("keydown", {"key": "Enter", "bubbles": True, **extra})
            expect(page.locator("#f-name")).to_be_focused()
        first.press("Enter")
        expect(page.locator("#f-postal_code")).to_be_focused()
        first.type("1600023")
        first.press("Enter")
        expect(page.locator("#f-address")).to_have_value("東京都新宿区西新宿")
        assert page.evaluate("document.activeElement.selectionStart") == len("東京都新宿区西新宿")
        first.press("Enter")
        first.press("F2")
        expect(page.locator("#mark-phone")).to_have_text("書いていない")
        first.press("F4")
        expect(page.locator("#mark-phone")).to_have_text("読めない")
        first.press("Enter")
        first.type("３５")
        expect(page.locator("#age-live")).to_have_text("35歳")
        first.press("Enter")
        expect(page.locator("#f-choices")).to_be_focused()
        first.press("7")
        first.press("3")
        first.press("7")
        expect(page.locator("#class-live")).to_have_text("第1希望 大人のための走り方教室 1人")
        assert first.paper is not None
        first.press("Control+Enter")
        expect(page.locator("#idle")).to_be_visible()
    assert site.do(count_keyings(site.desk)) == 1


def test_the_page_fits_a_screen_and_a_tablet_turns_the_picture_and_adds_people(
    site: Site, browser: Browser, tmp_path: Path
):
    site.add(written_papers()[0])
    with at_desk(site, browser, FIRST) as first:
        page = first.page
        first.start()
        first.type("山")
        for common, wanted in (("崎", "﨑"), ("吉", "𠮷")):
            first.press("F10")
            expect(page.locator("#like")).to_be_focused()
            first.type(common)
            first.press("Enter")
            key = page.locator("#character-list li", has_text=wanted).locator("kbd").inner_text()
            first.press(key)
        first.press("F10")
        assert violations(page) == []
        first.press("0")
        expect(page.locator("#f-name")).to_have_value("山﨑𠮷〓")
        first.press("F8")
        first.press("F9")
        expect(page.locator("#stage img")).to_have_attribute("style", re.compile("rotate\\(90deg\\)"))
        expect(page.locator("#crop-name")).to_be_visible()
        twice = page.locator("#crop-name").evaluate("canvas => canvas.width / 96 * 25.4 / 71")
        assert 1.98 < twice < 2.02, "71 mm of the sheet, twice as large"
        keep_picture(page, "keying", tmp_path)
        assert violations(page) == []
        assert not overflows(page)
        page.set_viewport_size(TABLET)
        assert not overflows(page)
        assert violations(page) == []
        first.press("Escape")
        expect(page.locator("#menu")).to_be_visible()
        assert violations(page) == []
        first.press("1")
        expect(page.locator("#sheet-number")).to_have_text("申込み 2 / 2")
        first.press("Escape")
        first.press("2")
        expect(page.locator("#sheet-number")).to_have_text("")
        first.press("Escape")
        first.press("2")
        expect(page.locator("#idle")).to_be_visible()
        expect(page.locator("#say")).to_contain_text("保存しました")


async def count_keyings(desk: Desk) -> int:
    """Return how many keyings wait for another person."""
    return await desk.vault.store.db[KEYINGS].count_documents({})


async def keyed_names(desk: Desk) -> list[str]:
    """Return the names of all drafts, opened with the campaign's key."""
    stored = [StoredDraft.from_document(one) async for one in desk.vault.store.db[DRAFTS].find()]
    return [one.decrypt(desk.vault.keys).form["applicant"]["name"] for one in stored]
