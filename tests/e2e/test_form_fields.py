"""Fields of the form: filling in, choices, mistakes and hints."""

from dataclasses import replace

from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Office
from tests.e2e.test_form import CAMPAIGN, Typed, fill, other_name, receipt_of, send
from tests.support.browser import opened, tab_to, violations


def test_the_postal_code_fills_the_address_in_and_many_towns_are_offered(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        page.fill("#postal_code", "160-0021")
        expect(page.locator("#town")).to_have_value("東京都新宿区歌舞伎町")
        page.fill("#postal_code", "4980000")
        page.locator("#postal_code-live button").nth(1).click()
        expect(page.locator("#town")).not_to_have_value("東京都新宿区歌舞伎町")
        page.fill("#postal_code", "796-0088")
        expect(page.locator("#town")).to_have_value("愛媛県八幡浜市")
        expect(page.locator("#postal_code-live")).to_contain_text("町名から先を続けて")
        page.fill("#postal_code", "766-0002")
        expect(page.locator("#town")).to_have_value("香川県仲多度郡琴平町")
        page.fill("#postal_code", "9999999")
        expect(page.locator("#postal_code-live")).to_contain_text("見つかりません")


def test_only_classes_for_this_person_can_be_chosen_and_the_others_say_why(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        assert page.locator("#choices input").count() == 0
        page.select_option("#age_or_grade", "p3")
        assert [box.get_attribute("id") for box in page.locator("#choices input").all()] == [
            "class-junior-football",
            "class-sports-day-running",
        ]
        expect(page.locator(".others")).to_contain_text("大人のための走り方教室 — 対象:20歳以上")
        expect(page.locator("#field-guardian")).to_be_visible()
        page.select_option("#age_or_grade", "age")
        expect(page.locator("#field-guardian")).to_be_hidden()
        page.fill("#age", "19")
        expect(page.locator("#field-guardian")).to_be_visible()
        page.fill("#age", "20")
        expect(page.locator("#field-guardian")).to_be_hidden()


def test_the_order_of_preference_is_that_of_choosing_and_can_be_changed(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(classes=("sports-day-running", "press-kids", "parent-child-food")), "順番 花子"))
        page.click("#up-parent-child-food")
        expect(page.locator("#choices-live")).to_contain_text("第2希望")
        page.click("#up-parent-child-food")
        receipt = send(page)

    chosen = [choice["class_id"] for choice in open_office.register(receipt)["choices"]]
    assert chosen == ["parent-child-food", "sports-day-running", "press-kids"]


def test_a_mistake_is_shown_at_its_field_and_the_typed_text_stays(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, replace(Typed(), phone="12", guardian=""))
        page.click("#fields button[type=submit]")
        expect(page.locator("#errors")).to_be_focused()
        expect(page.locator("#errors-list li")).to_have_count(2)
        expect(page.locator("#phone-error")).to_contain_text("0で始まる")
        expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")
        page.click("#errors-list a >> text=保護者")
        expect(page.locator("#guardian")).to_be_focused()
        page.keyboard.type("髙﨑 太郎")
        expect(page.locator("#errors-list li")).to_have_count(1)
        assert page.input_value("#name") == "髙﨑　花子"


def test_a_mistyped_mail_domain_gets_a_hint_that_the_keyboard_reaches(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(email=""), "宛先 花子"))
        page.focus("#email")
        page.keyboard.type("hanako@gmai")
        expect(page.locator("#email-use")).to_have_count(0)
        page.keyboard.type("l.con")
        expect(page.locator("#email-live")).to_contain_text("「hanako@gmail.com」ではありませんか")
        tab_to(page, "email-use")
        page.keyboard.press("Enter")
        expect(page.locator("#email")).to_be_focused()
        expect(page.locator("#email")).to_have_value("hanako@gmail.com")
        expect(page.locator("#email-use")).to_have_count(0)
        page.click("#fields button[type=submit]")
        expect(page.locator("#mail-doubt")).to_be_hidden()
        page.click("#send")
        receipt = receipt_of(page)

    assert open_office.person(receipt).email == "hanako@gmail.com"


def test_a_mail_hint_refuses_nothing_and_is_repeated_before_sending(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/en/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(email="hanako@gmial.com"), "自社 花子"))
        expect(page.locator("#email-use")).to_have_text("Use hanako@gmail.com")
        assert violations(page) == []
        page.reload()
        expect(page.locator("#email-use")).to_be_visible()
        page.click("#fields button[type=submit]")
        expect(page.locator("#mail-doubt")).to_be_visible()
        assert violations(page) == []
        page.click("#send")
        receipt = receipt_of(page)

    assert open_office.person(receipt).email == "hanako@gmial.com"


def test_two_address_fields_do_not_merge_their_numbers(open_office: Office, browser: Browser):
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(town="東京都新宿区西新宿２", street="８－１"), "境目 花子"))
        page.click("#fields button[type=submit]")
        expect(page.locator("#summary")).to_contain_text("東京都新宿区西新宿2 8-1")
        page.click("#send")
        receipt = receipt_of(page)

    assert open_office.person(receipt).address == "東京都新宿区西新宿2 8-1"
