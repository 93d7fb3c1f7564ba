"""Handlers key papers with the keyboard alone: faxes and postcards, our sheet and free-form, twice, and resolved."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.vault.papers.draft_repository import COLLECTION as DRAFTS
from services.vault.papers.draft_repository import StoredDraft
from services.vault.papers.keying_repository import KEYINGS, StoredKeying
from shared.ids import PaperId
from tests.support.browser import keep_picture, overflows, violations
from tests.support.desk_harness import FIRST, SECOND, THIRD, Desk
from tests.support.keying_browser import Site, at_desk, serving
from tests.support.paper_builders import written_papers

MOST_KEYS = 12
"""Keys of navigation a paper, also with two people at different addresses: all that move on, mark, add or save.

Numbers of classes are content, as the digits of a telephone number are.
"""

INDEX_MS = 90_000
"""Longest wait for the first characters of a reading, or of parts: the vault then makes its index of all characters."""

TABLET = {"width": 820, "height": 1180}


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running:
        for staff_id in (FIRST, SECOND, THIRD):
            running.do(running.desk.headers(staff_id))
        yield running


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
                assert keyer.navigation - before <= MOST_KEYS, written
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
        for common, wanted in (("さき", "﨑"), ("吉", "𠮷"), ("辶 自 穴 方", "邊")):
            first.press("F10")
            expect(page.locator("#like")).to_be_focused()
            first.type(common)
            first.press("Enter")
            key = page.locator("#character-list li", has_text=wanted).locator("kbd").inner_text(timeout=INDEX_MS)
            first.press(key)
        first.press("F10")
        for _ in range(2):
            first.type("ゔゔ")
            with page.expect_response(lambda response: "/v1/characters" in response.url):
                first.press("Enter")
        expect(page.locator("#like")).to_have_value("ゔゔゔゔ")
        page.locator("#like").fill("")
        assert violations(page) == []
        first.press("0")
        expect(page.locator("#f-name")).to_have_value("山﨑𠮷邊〓")
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
        expect(page.locator("#f-address")).to_have_value("")
        first.press("Escape")
        first.press("2")
        expect(page.locator("#sheet-number")).to_have_text("")
        first.press("Escape")
        first.press("2")
        expect(page.locator("#idle")).to_be_visible()
        expect(page.locator("#say")).to_contain_text("保存しました")


def test_the_next_person_of_a_paper_shares_address_and_telephone_which_can_still_be_changed(
    site: Site, browser: Browser, tmp_path: Path
):
    paper = next(one for one in written_papers() if len(one.sheets) > 1 and one.sheets[0]["guardian"])
    site.add(paper)
    with at_desk(site, browser, FIRST) as first:
        page = first.page
        first.start()
        first.press("F7")
        expect(page.locator("#error-name")).not_to_be_empty()
        expect(page.locator("#sheet-number")).to_have_text("")
        first.key_first(paper.sheets[0])
        first.press("F7")
        expect(page.locator("#sheet-number")).to_have_text("申込み 2 / 2")
        expect(page.locator("#f-name")).to_be_focused()
        for name in ("postal_code", "address", "phone", "guardian"):
            expect(page.locator(f"#mark-{name}")).to_have_text("前の1人から写しました")
        keep_picture(page, "keying-next-person", tmp_path)
        assert violations(page) == []
        assert not overflows(page)
        first.type("髙橋次郎")
        first.press("Enter")
        expect(page.locator("#f-age_or_grade")).to_be_focused()
        first.type("小1")
        first.press("Shift+Enter")
        expect(page.locator("#f-phone")).to_be_focused()
        page.keyboard.press("Control+A")
        first.type("03-5273-9999")
        expect(page.locator("#mark-phone")).to_have_text("")
        first.press("Enter")
        first.press("Enter")
        expect(page.locator("#f-choices")).to_be_focused()
        page.keyboard.press("1")
        first.press("Enter")
        expect(page.locator("#idle")).to_be_visible()
    one, other = site.do(keyed_applicants(site.desk))
    assert other["address"] == one["address"]
    assert (one["phone"] == other["phone"], other["phone"]) == (False, "0352739999")


async def keyed_applicants(desk: Desk) -> list[dict[str, str]]:
    """Return the applicants of the only keying, in the order of the paper."""
    stored = [StoredKeying.from_document(one) async for one in desk.vault.store.db[KEYINGS].find()]
    return [form["applicant"] for form in stored[0].decrypt(desk.vault.keys).forms]


async def count_keyings(desk: Desk) -> int:
    """Return how many keyings wait for another person."""
    return await desk.vault.store.db[KEYINGS].count_documents({})


async def keyed_names(desk: Desk) -> list[str]:
    """Return the names of all drafts, opened with the campaign's key."""
    stored = [StoredDraft.from_document(one) async for one in desk.vault.store.db[DRAFTS].find()]
    return [one.decrypt(desk.vault.keys).form["applicant"]["name"] for one in stored]
