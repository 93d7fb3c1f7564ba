"""The reception page in a real browser: scanner, camera, receipt number; alone without a network, then together."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.web_build import build as pages
from shared.codes import entry_number, format_code
from shared.contracts import ClassPass
from tests.support.browser import DESKTOP, keep_picture, launched, opened, overflows, violations
from tests.support.camera_film import film_of_postcard
from tests.support.reception_harness import FOOTBALL
from tests.support.reception_page_harness import ReceptionDesk, reception_desk

FORGED = f"KP1:{'A' * 160}"
ANSWER = "#answer .answer-word"


@pytest.fixture(scope="module")
def desk(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceptionDesk]:
    pages.ensure(lambda _: None)
    with reception_desk(mongo_url, f"t{secrets.token_hex(4)}_lottery", tmp_path_factory.mktemp("desk")) as running:
        running.guest(junior_football="won")
        yield running


def scanned(page: Page, text: str, terminator: str = "Enter") -> None:
    """Type `text` as a keyboard scanner does: outside of any field, then the terminator."""
    page.locator("h1").click()
    page.keyboard.type(text)
    page.keyboard.press(terminator)


def scanned_slowly(page: Page, text: str, terminator: str) -> None:
    """Type `text` as a scanner does at a busy machine: with pauses of 400 ms between some keys."""
    page.locator("h1").click()
    for start in range(0, len(text), 30):
        page.keyboard.type(text[start : start + 30])
        page.wait_for_timeout(400)
    page.keyboard.press(terminator)


def typed(page: Page, number: str, code: str = "") -> None:
    page.fill("#typed", number)
    page.fill("#typed-code", code)
    page.press("#typed-code", "Enter")


def is_alone(page: Page, *, alone: bool) -> None:
    page.context.set_offline(alone)
    expect(page.locator("#line")).to_contain_text("つながっていません" if alone else "事務局とつながっています")


def count_of(page: Page, title: str) -> str:
    return str(page.locator("#counts tr", has_text=title).locator("td").first.inner_text())


def test_a_scanner_types_a_pass_and_the_answer_is_large_and_green(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        before = int(count_of(page, "ジュニアサッカー").split("/")[0])
        scanned(page, guest.passes["junior-football"].lower().replace(":", "+"))
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        expect(page.locator("#answer")).to_have_class("answer answer-good")
        expect(page.locator("#answer")).to_contain_text(guest.receipt)
        assert int(count_of(page, "ジュニアサッカー").split("/")[0]) == before + 1
        expect(page.locator("#unsent")).to_have_text("0")
        keep_picture(page, "reception-admitted", tmp_path)
        typed(page, guest.receipt.lower().replace("-", " "), guest.applicant.code.lower())
        expect(page.locator(ANSWER)).to_have_text("すでに入場しています")
        expect(page.locator("#answer")).to_have_class("answer answer-look")
        keep_picture(page, "reception-again", tmp_path)
        scanned(page, FORGED)
        expect(page.locator(ANSWER)).to_have_text("この催しの参加証ではありません")
        expect(page.locator("#answer")).to_have_class("answer answer-bad")
        keep_picture(page, "reception-forged", tmp_path)
        scanned(page, "https://example.org/")
        expect(page.locator(ANSWER)).to_have_text("読み取れません")
    assert [each["people"] for each in desk.scans(guest)] == [1, 1]


def test_of_a_pair_one_comes_first_and_a_slip_of_the_hand_is_undone(desk: ReceptionDesk, browser: Browser):
    guest = desk.guest(parent_child_food="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        typed(page, guest.receipt, guest.applicant.code)
        expect(page.locator("#answer")).to_contain_text("来場 2 / 2 名")
        page.get_by_role("button", name="1名だけ来た").click()
        expect(page.locator("#answer")).to_contain_text("来場 1 / 2 名")
        scanned(page, guest.passes["parent-child-food"])
        expect(page.locator("#answer")).to_contain_text("来場 2 / 2 名")
        page.locator("#answer").get_by_role("button", name="取り消す").click()
        expect(page.locator(ANSWER)).to_have_text("取り消しました")
        expect(page.locator("#answer")).to_contain_text("来場 1 / 2 名")


def test_a_receipt_number_with_several_classes_asks_which_and_a_desk_serves_its_own(
    desk: ReceptionDesk, browser: Browser
):
    guest = desk.guest(junior_football="won", parent_child_food="won", press_kids="waiting")
    with opened(browser, desk.url) as page:
        desk.open(page)
        typed(page, guest.receipt, guest.applicant.code)
        expect(page.locator(ANSWER)).to_have_text("どの教室ですか")
        page.locator("#answer").get_by_role("button", name=re.compile("プレスキッズ")).click()
        expect(page.locator(ANSWER)).to_have_text("補欠の方です")
        page.select_option("#served-class", "junior-football")
        page.focus("#served-class")
        page.keyboard.type(guest.passes["parent-child-food"])
        page.keyboard.press("Enter")
        expect(page.locator(ANSWER)).to_have_text("別の教室の参加証です")
        assert page.input_value("#served-class") == "junior-football"
        typed(page, guest.receipt, guest.applicant.code)
        expect(page.locator("#answer")).to_contain_text("ジュニアサッカー教室")
        expect(page.locator(ANSWER)).to_have_text("お入りください")


def test_a_bare_receipt_number_admits_nobody_until_name_or_code_were_looked_at(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest, other = desk.guest(junior_football="won"), desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        is_alone(page, alone=True)
        typed(page, guest.receipt)
        expect(page.locator(ANSWER)).to_have_text("受付番号だけでは入場できません")
        expect(page.locator("#answer")).to_have_class("answer answer-look")
        expect(page.locator("#answer")).to_contain_text("身分証と比べてください")
        expect(page.locator("#typed-code")).to_be_focused()
        keep_picture(page, "reception-compare", tmp_path)
        for _ in range(12):
            typed(page, guest.receipt, other.applicant.code)
            expect(page.locator(ANSWER)).to_have_text("確認コードが違います")
        typed(page, entry_number(guest.entry), format_code(guest.applicant.code))
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        typed(page, entry_number(other.entry))
        expect(page.locator(ANSWER)).to_have_text("確認コードも入力してください")
        typed(page, other.receipt)
        page.get_by_role("button", name="名前を身分証と比べました").click()
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        is_alone(page, alone=False)
        expect(page.locator("#unsent")).to_have_text("0")
    assert {each["by"] for each in desk.scans(guest)} == {"receipt", "code"}
    assert {each["by"] for each in desk.scans(other)} == {"receipt", "name"}
    assert "code" not in {name for each in desk.scans(guest) for name in each}


@pytest.mark.parametrize("terminator", ["Enter", "Tab"])
def test_a_code_typed_with_long_pauses_is_one_scan(desk: ReceptionDesk, browser: Browser, terminator: str):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        scanned_slowly(page, guest.passes["junior-football"], terminator)
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        expect(page.locator("#unsent")).to_have_text("0")
    assert [each["by"] for each in desk.scans(guest)] == ["pass"]


def test_keys_typed_by_accident_do_not_spoil_the_next_scan(desk: ReceptionDesk, browser: Browser):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        page.keyboard.type("x1 ")
        page.keyboard.type(guest.passes["junior-football"])
        page.keyboard.press("Enter")
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        page.keyboard.type("abcdef")
        scanned(page, guest.passes["junior-football"])
        expect(page.locator(ANSWER)).to_have_text("すでに入場しています")


def test_without_a_network_the_page_opens_again_goes_on_and_tells_the_office_afterwards(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        expect(page.locator("#offline-ready")).to_have_text("使えます")
        is_alone(page, alone=True)
        page.reload()
        expect(page.locator("#line")).to_contain_text("つながっていません")
        scanned(page, guest.passes["junior-football"])
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        expect(page.locator("#unsent")).to_have_text("1")
        keep_picture(page, "reception-offline", tmp_path)
        page.reload()
        expect(page.locator("#unsent")).to_have_text("1")
        assert desk.scans(guest) == []
        is_alone(page, alone=False)
        expect(page.locator("#unsent")).to_have_text("0")
    assert [each["by"] for each in desk.scans(guest)] == ["pass"]


def test_two_devices_that_were_alone_with_one_pass_find_out_when_they_meet(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as one, opened(browser, desk.url) as other:
        for page, name in ((one, "A"), (other, "B")):
            desk.open(page, name)
            is_alone(page, alone=True)
            scanned(page, guest.passes["junior-football"])
            expect(page.locator(ANSWER)).to_have_text("お入りください")
        is_alone(other, alone=False)
        expect(other.locator("#unsent")).to_have_text("0")
        expect(other.locator("#changed")).to_be_hidden()
        is_alone(one, alone=False)
        expect(other.locator("#changed")).to_contain_text(guest.receipt)
        expect(other.locator("#changed")).to_contain_text("受付 A で入場")
        expect(one.locator("#changed")).to_be_hidden()
        keep_picture(other, "reception-two-devices", tmp_path)
    assert sorted(each["device"][0] for each in desk.scans(guest)) == ["A", "B"]


def test_the_camera_reads_a_printed_postcard_once_while_it_is_held_before_it(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest = desk.guest(junior_football="won")
    shown = ClassPass(class_id=FOOTBALL, code=guest.passes[FOOTBALL])
    film = film_of_postcard(desk.harness.campaign, shown, tmp_path / "postcard.y4m")
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        launched(browser.browser_type, *camera, f"--use-file-for-fake-video-capture={film}") as seeing,
        opened(seeing, desk.url, permissions=["camera"]) as page,
    ):
        desk.open(page)
        page.click("#camera")
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        keep_picture(page, "reception-camera", tmp_path)
        page.wait_for_timeout(1500)
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        page.click("#camera")
        expect(page.locator("#viewfinder")).to_be_hidden()
        expect(page.locator("#unsent")).to_have_text("0")
    assert len(desk.scans(guest)) == 1


def test_whoever_is_in_charge_sees_conflicts_and_devices_and_sets_a_lost_one_aside(
    desk: ReceptionDesk, browser: Browser, tmp_path: Path
):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page, "LOST")
        for _ in range(2):
            typed(page, guest.receipt, guest.applicant.code)
            expect(page.locator("#unsent")).to_have_text("0")
        page.get_by_role("link", name="責任者の画面").click()
        expect(page.locator("#live-conflicts")).to_contain_text("すでに入場しています")
        expect(page.locator("#live-counts")).to_contain_text("10:15 に数えます")
        assert violations(page) == []
        assert not overflows(page)
        page.get_by_role("button", name=re.compile("LOST.*この端末を待たない")).click()
        expect(page.locator("#live-devices")).to_contain_text("sato-01 が待たないことにしました")
        keep_picture(page, "reception-lead", tmp_path)


def test_whose_session_is_over_goes_on_and_signs_in_again(desk: ReceptionDesk, browser: Browser):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        page.context.clear_cookies()
        scanned(page, guest.passes["junior-football"])
        expect(page.locator(ANSWER)).to_have_text("お入りください")
        expect(page.locator("#line")).to_contain_text("サインインし直してください")
        expect(page.locator("#sign-in-again a")).to_be_visible()
        expect(page.locator("#unsent")).to_have_text("1")


def test_what_the_device_cannot_keep_is_not_said_to_be_kept(desk: ReceptionDesk, browser: Browser):
    guest = desk.guest(junior_football="won")
    with opened(browser, desk.url) as page:
        desk.open(page)
        page.evaluate("() => { IDBObjectStore.prototype.put = () => { throw new DOMException('full'); }; }")
        typed(page, guest.receipt)
        expect(page.locator(ANSWER)).to_have_text("記録を残せません")
        expect(page.locator("#answer")).to_have_class("answer answer-bad")


def test_a_device_that_was_forgotten_holds_nothing_when_it_is_found(desk: ReceptionDesk, browser: Browser):
    with opened(browser, desk.url) as page:
        desk.open(page)
        expect(page.locator("#offline-ready")).to_have_text("使えます")
        page.clock.set_system_time("2048-01-01T00:00:00Z")
        page.context.set_offline(True)
        page.reload()
        expect(page.locator("#wiped")).to_be_visible()
        assert page.evaluate("indexedDB.databases().then(JSON.stringify)") == "[]"


def test_a_wiped_device_holds_nothing_of_the_campaign(desk: ReceptionDesk, browser: Browser):
    with opened(browser, desk.url) as page:
        desk.open(page)
        expect(page.locator("#offline-ready")).to_have_text("使えます")
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("#wipe")
        expect(page.locator("#wiped")).to_be_visible()
        left = page.evaluate("Promise.all([indexedDB.databases(), caches.keys()]).then(JSON.stringify)")
        assert left == "[[],[]]"


@pytest.mark.parametrize(
    ("prefix", "size"), [("", DESKTOP), ("/en", {"width": 320, "height": 640})], ids=["wide", "narrow"]
)
def test_the_page_passes_axe_and_fits_its_screen_in_every_answer(
    desk: ReceptionDesk, browser: Browser, prefix: str, size: dict[str, int], tmp_path: Path
):
    guest = desk.guest(parent_child_food="won", press_kids="waiting")
    with opened(browser, desk.url, size) as page:
        page.goto(prefix + desk.path)
        assert violations(page) == []
        desk.open(page, prefix=prefix)
        for read in (guest.passes["parent-child-food"], guest.receipt, FORGED):
            scanned(page, read)
            expect(page.locator("#answer .answer-sign")).to_be_visible()
            assert violations(page) == []
            assert not overflows(page)
        keep_picture(page, f"reception-{prefix.strip('/') or 'ja'}-{size['width']}", tmp_path)
