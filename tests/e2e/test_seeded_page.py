"""The responsible handler stores a seeded paper: chooses the file and keys once what is written on it, by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from services.vault.papers.seeded_repository import COLLECTION, SeededPaper
from shared.staff_roles import Role
from tests.support.browser import PHONE, keep_picture, overflows, tab_to, violations
from tests.support.desk_harness import BOSS, Desk
from tests.support.keying_browser import Site, at_desk, serving
from tests.support.paper_builders import written_papers

RESPONSIBLE = frozenset({Role.RESPONSIBLE})


@pytest.fixture
def site(mongo_url: str, tmp_path: Path) -> Iterator[Site]:
    with serving(mongo_url, tmp_path) as running:
        yield running


async def known_content(desk: Desk) -> list[dict[str, str]]:
    """Return the applicants of the stored papers, opened with the campaign's key."""
    stored = [SeededPaper.from_document(one) async for one in desk.vault.store.db[COLLECTION].find()]
    return [form["applicant"] for one in stored for form in one.decrypt_known(desk.vault.keys).forms]


def test_a_paper_of_two_people_is_stored_without_a_mouse_and_mistakes_say_what_to_do(
    site: Site, browser: Browser, tmp_path: Path
):
    paper = next(one for one in written_papers() if len({sheet["phone"] for sheet in one.sheets}) < len(one.sheets))
    scan, broken = tmp_path / "scan.tif", tmp_path / "broken.pdf"
    scan.write_bytes(paper.file)
    broken.write_bytes(b"no paper")
    with at_desk(site, browser, BOSS, RESPONSIBLE) as boss:
        page = boss.page
        page.goto("/desk/papers/quality")
        tab_to(page, "seeded-777-days")
        page.keyboard.press("Enter")
        expect(page.locator("#pool-count")).to_have_text("0枚")
        expect(page.locator("#file")).to_be_focused()
        assert violations(page) == []
        tab_to(page, "save")
        page.keyboard.press("Enter")
        expect(page.locator("#error-file")).to_contain_text("選んで")
        expect(page.locator("#error-serial")).to_contain_text("書類番号")
        expect(page.locator("#file")).to_be_focused()
        page.locator("#file").set_input_files(broken)
        tab_to(page, "serial")
        boss.type("F-900")
        page.keyboard.press("Enter")
        boss.key_first(paper.sheets[0])
        boss.press("F7")
        expect(page.locator("#sheet-number")).to_have_text("申込み 2 / 2")
        boss.key_next(paper.sheets[1], paper.sheets[0])
        boss.press("Enter")
        expect(page.locator("#say")).to_contain_text("書類として読めません")
        expect(page.locator("#file")).to_be_focused()
        assert violations(page) == []
        page.evaluate("window.scrollTo(0, 0)")
        keep_picture(page, "keying-seeded", tmp_path)
        page.locator("#file").set_input_files(scan)
        tab_to(page, "save")
        page.keyboard.press("Enter")
        expect(page.locator("#say")).to_contain_text("F-900 を保存しました。いま1枚です。")
        expect(page.locator("#pool-count")).to_have_text("1枚")
        expect(page.locator("#f-name")).to_have_value("")
        expect(page.locator("#file")).to_be_focused()
        page.set_viewport_size(PHONE)
        assert not overflows(page)
        page.goto("/en/desk/papers/quality/777-days/seeded")
        assert violations(page) == []
    names = [applicant["name"] for applicant in site.do(known_content(site.desk))]
    assert names == [sheet["name"] for sheet in paper.sheets]


LOSE_FIRST_ANSWER = """
const send = window.fetch;
let lost = false;
window.fetch = async (path, init) => {
  const answer = await send(path, init);
  if (init?.method !== "POST" || lost) return answer;
  lost = true;
  throw new TypeError("the answer is lost");
};
"""


def test_an_added_person_is_taken_away_and_a_lost_answer_stores_one_paper_which_can_be_deleted(
    site: Site, browser: Browser, tmp_path: Path
):
    paper = next(one for one in written_papers() if len(one.sheets) == 1)
    scan = tmp_path / "scan.tif"
    scan.write_bytes(paper.file)
    with at_desk(site, browser, BOSS, RESPONSIBLE) as boss:
        page = boss.page
        page.add_init_script(LOSE_FIRST_ANSWER)
        page.goto("/desk/papers/quality/777-days/seeded")
        expect(page.locator("#remove-sheet")).to_be_hidden()
        page.locator("#file").set_input_files(scan)
        tab_to(page, "serial")
        boss.type("F-901")
        page.keyboard.press("Enter")
        boss.key_first(paper.sheets[0])
        boss.press("F7")
        expect(page.locator("#sheet-number")).to_have_text("申込み 2 / 2")
        boss.press("Escape")
        expect(page.locator("#sheet-number")).to_have_text("")
        expect(page.locator("#f-name")).to_have_value(paper.sheets[0]["name"])
        boss.press("Escape")
        expect(page.locator("#f-name")).to_have_value(paper.sheets[0]["name"])
        boss.press("F6")
        boss.type("間違い")
        boss.press("Escape")
        expect(page.locator("#say")).to_contain_text("もう一度 Esc")
        expect(page.locator("#sheet-number")).to_have_text("申込み 2 / 2")
        assert violations(page) == []
        expect(page.locator("#say")).to_be_in_viewport()
        expect(page.locator("#f-name")).to_be_in_viewport()
        tab_to(page, "remove-sheet")
        page.keyboard.press("Enter")
        expect(page.locator("#say")).to_contain_text("2人目の1人分を取り消しました")
        expect(page.locator("#remove-sheet")).to_be_hidden()
        tab_to(page, "save")
        page.keyboard.press("Enter")
        expect(page.locator("#say")).to_contain_text("保存できませんでした")
        tab_to(page, "save")
        page.keyboard.press("Enter")
        expect(page.locator("#say")).to_contain_text("F-901 を保存しました。いま1枚です。")
        expect(page.locator("#stored tbody tr")).to_have_count(1)
        expect(page.locator("#stored")).to_contain_text("F-901")
        assert violations(page) == []
        page.locator("#stored summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#say")).to_contain_text("削除しました")
        expect(page.locator("#pool-count")).to_have_text("0枚")
        assert violations(page) == []
    assert site.do(known_content(site.desk)) == []
