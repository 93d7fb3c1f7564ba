"""Apply on the pages: in Japanese and English, on a phone and on a desktop, with the keyboard alone."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Office
from tests.support.browser import DESKTOP, keep_picture, opened, overflows, tab_to, violations

CAMPAIGN = "777-days"


@dataclass(frozen=True)
class Typed:
    """Typed values of the fields, before they are normalised."""

    name: str = "髙﨑　花子"
    age_or_grade: str = "p5"
    age: str = ""
    guardian: str = "髙﨑 太郎"
    postal_code: str = "１６０－００２１"
    town: str = "東京都新宿区歌舞伎町"
    street: str = "１丁目４番１号　ハイツ１０１"
    phone: str = "０３（００００）０００１"
    email: str = "hanako@example.jp"
    classes: tuple[str, ...] = ("press-kids", "parent-child-food")


ADULT = Typed(
    "Mary ｴﾘｽ", "age", "34", "", street="1-4-1", phone="+81 90 0000 0001", email="", classes=("adult-running",)
)


def fill(page: Page, typed: Typed) -> None:
    page.fill("#name", typed.name)
    page.select_option("#age_or_grade", typed.age_or_grade)
    if typed.age:
        page.fill("#age", typed.age)
    if typed.guardian:
        page.fill("#guardian", typed.guardian)
    page.fill("#postal_code", typed.postal_code)
    expect(page.locator("#postal_code-live p").first).to_be_visible()  # else its answer may meet the typing of the town
    page.fill("#town", typed.town)
    page.fill("#street", typed.street)
    page.fill("#phone", typed.phone)
    page.fill("#email", typed.email)
    for each in typed.classes:
        page.check(f"#class-{each}")


def send(page: Page) -> str:
    """Send the filled form; return the receipt number."""
    page.click("#fields button[type=submit]")
    page.click("#send")
    return receipt_of(page)


def receipt_of(page: Page) -> str:
    expect(page.locator("#done")).to_be_visible()
    return page.inner_text("#receipt")


def other_name(typed: Typed, name: str) -> Typed:
    """Return another person, so that the application is no duplicate."""
    return replace(typed, name=name, phone=f"03-0000-{abs(hash(name)) % 10_000:04}")


def test_a_child_applies_on_a_phone_in_japanese(open_office: Office, browser: Browser, tmp_path: Path):
    with opened(browser, open_office.url, has_touch=True, is_mobile=True) as page:
        page.goto("/")
        expect(page.locator("h1")).to_have_text("東京2020大会777日前記念イベント")
        expect(page.locator("table.odds tbody tr")).to_have_text(re.compile(r"1人\s*約50%\s*約20%\s*約10%"))
        keep_picture(page, "site-event", tmp_path)
        page.get_by_role("link", name="この催しに申し込む").tap()
        fill(page, Typed())
        keep_picture(page, "site-form", tmp_path)
        page.click("#fields button[type=submit]")
        expect(page.locator("#summary")).to_contain_text("東京都新宿区歌舞伎町1丁目4番1号 ハイツ101")
        keep_picture(page, "site-confirm", tmp_path)
        page.click("#send")
        receipt = receipt_of(page)
        expect(page.locator("#status-now .status-complete")).to_be_visible()
        keep_picture(page, "site-receipt", tmp_path)

    person, entry = open_office.person(receipt), open_office.register(receipt)
    assert (person.name, person.guardian_name, person.grade, person.age) == ("髙﨑 花子", "髙﨑 太郎", "p5", None)
    assert (person.postal_code, person.phone, person.email) == ("1600021", "0300000001", "hanako@example.jp")
    assert person.address == "東京都新宿区歌舞伎町1丁目4番1号 ハイツ101"
    assert entry["choices"] == [{"class_id": "press-kids", "seats": 1}, {"class_id": "parent-child-food", "seats": 2}]
    assert (entry["channel"], entry["contact"]) == ("web", "mail")


def test_the_form_and_the_confirmation_warn_of_classes_that_cannot_both_be_won(
    open_office: Office, browser: Browser, tmp_path: Path
):
    pupil = replace(Typed(), name="重複 花子", age_or_grade="p4", classes=("junior-football",))
    for prefix, overlap, most in (
        ("", "時間が重なります", "お一人が当選できるのは2教室まで"),
        ("/en", "overlap in time", "One person can win 2"),
    ):
        with opened(browser, open_office.url) as page:
            page.goto(f"{prefix}/c/{CAMPAIGN}/apply")
            fill(page, pupil)
            warnings = page.locator("#choices-conflicts p")
            expect(warnings).to_have_count(0)
            page.check("#class-parent-child-food")
            expect(warnings).to_have_count(1)
            expect(warnings).to_contain_text(overlap)
            page.check("#class-sports-day-running")
            expect(warnings).to_have_count(2)
            assert violations(page) == []
            page.click("#fields button[type=submit]")
            expect(page.locator("#confirm-conflicts")).to_contain_text(overlap)
            expect(page.locator("#confirm-conflicts")).to_contain_text(most)
            assert violations(page) == []
            assert not overflows(page)
            keep_picture(page, f"site-conflicts{prefix.replace('/', '-')}", tmp_path)
            page.click("#back")
            page.uncheck("#class-junior-football")
            expect(warnings).to_have_count(0)


def test_an_adult_applies_on_a_desk_in_english(open_office: Office, browser: Browser, tmp_path: Path):
    with opened(browser, open_office.url, DESKTOP) as page:
        page.goto(f"/en/c/{CAMPAIGN}")
        expect(page.locator("h1")).to_have_text("777 Days to Tokyo 2020 Commemorative Event")
        page.get_by_role("link", name="Apply for this event").click()
        fill(page, ADULT)
        keep_picture(page, "site-form-en", tmp_path)
        receipt = send(page)
        expect(page.locator("#done h2")).to_have_text("We have your application")

    person = open_office.person(receipt)
    assert (person.name, person.age, person.guardian_name) == ("Mary エリス", 34, None)
    assert (person.phone, person.email) == ("09000000001", None)


def test_an_applicant_applies_with_the_keyboard_alone(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        expect(page.locator("#form")).to_be_visible()
        tab_to(page, "name")
        page.keyboard.type("鍵盤 太郎")
        tab_to(page, "age_or_grade")
        page.keyboard.press("End")
        for field, text in (("age", "40"), ("postal_code", "1600021")):
            tab_to(page, field)
            page.keyboard.type(text)
        for field, text in (("town", "東京都新宿区歌舞伎町"), ("street", "2-1"), ("phone", "0300000002")):
            tab_to(page, field)
            page.keyboard.press("Control+A")
            page.keyboard.type(text)
        tab_to(page, "class-adult-running")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#confirm h2")).to_be_focused()
        tab_to(page, "send")
        page.keyboard.press("Enter")
        expect(page.locator("#done h2")).to_be_focused()
        receipt = receipt_of(page)

    assert open_office.person(receipt).name == "鍵盤 太郎"


def test_corrections_lose_nothing_and_a_reload_brings_everything_back(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "再読 花子"))
        page.click("#fields button[type=submit]")
        page.click("#back")
        expect(page.locator("#name")).to_have_value("再読 花子")
        page.reload()
        expect(page.locator("#name")).to_have_value("再読 花子")
        expect(page.locator("#class-press-kids")).to_be_checked()
        expect(page.locator("#guardian")).to_be_visible()
        send(page)
        kept = page.evaluate("JSON.stringify([sessionStorage, localStorage, document.cookie])")
        assert "再読" not in kept
        page.click("#finish")
        page.goto(f"/c/{CAMPAIGN}/apply")
        expect(page.locator("#form")).to_be_visible()
        assert page.input_value("#street") == ""
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_another_tab_does_not_show_the_draft(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, Typed())
        other = page.context.new_page()
        other.goto(f"/c/{CAMPAIGN}/apply")
        expect(other.locator("#form")).to_be_visible()
        assert other.input_value("#name") == ""


def test_the_receipt_number_is_found_again_in_any_spelling(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "照会 花子"))
        receipt = send(page)
        page.get_by_role("link", name="申込みの状況を確かめる").click()
        page.fill("#receipt", receipt.lower().replace("-", " "))
        page.click("#ask button")
        expect(page.locator("#answer")).to_contain_text(receipt)
        expect(page.locator("#own-hint")).to_be_visible()
        page.fill("#receipt", "W-0000")
        page.click("#ask button")
        expect(page.locator("#receipt-error")).to_contain_text("正しくありません")


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, DESKTOP], ids=["phone", "desk"])
@pytest.mark.parametrize("prefix", ["", "/en"], ids=["ja", "en"])
def test_every_page_passes_axe_and_fits_its_screen(
    open_office: Office, browser: Browser, prefix: str, size: dict[str, int]
):
    def look(page: Page, what: str) -> None:
        assert violations(page) == [], what
        assert not overflows(page), what

    with opened(browser, open_office.url, size) as page:
        for path in (f"/c/{CAMPAIGN}", f"/c/{CAMPAIGN}/status", "/c/nothing"):
            page.goto(prefix + path)
            look(page, path)
        page.goto(f"{prefix}/c/{CAMPAIGN}/apply")
        look(page, "the empty form")
        page.click("#fields button[type=submit]")
        look(page, "the form with every error")
        fill(page, replace(Typed(), classes=("press-kids", "sports-day-running")))
        look(page, "the filled form")
        page.click("#fields button[type=submit]")
        look(page, "the confirmation")
        page.route("**/sealing-key", lambda route: route.fulfill(json={"v": 1}))
        page.click("#send")
        expect(page.locator("#failed")).to_be_visible()
        look(page, "the refusal")
        page.click("#again")
        page.unroute("**/sealing-key")
        receipt = send(page)
        look(page, "the receipt")
        code = page.inner_text("#code")
        page.click("#correct")
        look(page, "the correction")
        page.click("#leave-correction")
        page.click("#withdraw")
        look(page, "the withdrawal")
        page.goto(f"{prefix}/c/{CAMPAIGN}/status")
        page.fill("#receipt", receipt)
        page.fill("#code", code)
        page.click("#ask button")
        expect(page.locator("#own-actions")).to_be_visible()
        look(page, "the status with the code")


def test_without_javascript_the_page_says_how_to_apply_on_paper(open_office: Office, browser: Browser):
    with opened(browser, open_office.url, java_script_enabled=False) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        expect(page.locator("noscript p").first).to_contain_text("ファクス又は郵便")
        expect(page.get_by_role("link", name="申込用紙")).to_be_visible()
        expect(page.locator("#name")).to_be_hidden()
