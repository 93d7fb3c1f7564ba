"""Applicants keep two receipts apart, and correct and withdraw what they sent, on a telephone."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect

from shared.codes import entry_id, entry_number, parse_code
from shared.ids import ApplicationId
from shared.receipt_documents import is_receipt_of
from tests.e2e.conftest import Office
from tests.e2e.test_form import CAMPAIGN, Typed, fill, other_name, send
from tests.support.browser import PHONE, keep_picture, opened
from tests.support.waiting import block_until

VERSIONS = "**/versions"


def receipts(page: Page) -> list[dict[str, Any]]:
    """Return the receipts of the tab, the newest first."""
    found: list[dict[str, Any]] = json.loads(page.evaluate(f"sessionStorage.getItem('kuji:{CAMPAIGN}:receipts')"))
    return found


def ask_status(page: Page, receipt: str, code: str) -> None:
    page.goto(f"/c/{CAMPAIGN}/status")
    page.fill("#receipt", receipt)
    page.fill("#code", code)
    page.click("#ask button")
    expect(page.locator("#own-actions")).to_be_visible()


def refuse(name: str, status: int) -> Any:
    body = {"type": f"urn:kuji:problem:{name}", "title": "題", "detail": "説明", "detail_en": "words", "status": status}
    return lambda route: route.fulfill(status=status, body=json.dumps(body), content_type="application/problem+json")


def test_a_second_child_keeps_the_household_and_both_receipts_can_be_told_apart(
    open_office: Office, browser: Browser, tmp_path: Path
):
    with opened(browser, open_office.url, {**PHONE, "width": 390}) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "長女 花子"))
        first = send(page)
        [receipt] = receipts(page)
        document, code = receipt["document"], parse_code(page.inner_text("#code"))
        assert document["receipt"] == first
        entry = entry_id(open_office.campaign.id, ApplicationId(document["application_id"]), code)
        assert page.inner_text("#entry-number") == entry_number(entry)
        expect(page.locator("#chosen li")).to_have_count(2)
        expect(page.locator("#receipt-code svg")).to_be_visible()
        page.locator("#save-document").focus()
        with page.expect_download() as saving:
            page.keyboard.press("Enter")
        assert saving.value.suggested_filename == f"receipt-{first}.json"
        assert json.loads(saving.value.path().read_bytes()) == document
        expect(page.locator("#document-saved")).to_contain_text(first)
        assert page.evaluate("localStorage.length") == 0
        page.check("#keep")
        [kept] = json.loads(page.evaluate(f"localStorage.getItem('kuji:{CAMPAIGN}:kept')"))
        assert set(kept) == {"document", "code"}
        page.click("#another")
        expect(page.locator("#household")).to_be_visible()
        assert [page.input_value(f"#{name}") for name in ("name", "town", "email")] == [
            "", "東京都新宿区歌舞伎町", "hanako@example.jp",
        ]  # fmt: skip
        page.fill("#name", "次女 桃子")
        page.select_option("#age_or_grade", "p3")
        assert page.input_value("#guardian") == "髙﨑 太郎"
        page.check("#class-junior-football")
        second = send(page)
        expect(page.locator("#chosen")).to_contain_text("ジュニアサッカー")
        other = page.locator("#others-list button")
        expect(other).to_contain_text("プレスキッズ")
        keep_picture(page, "site-two-receipts", tmp_path)
        other.click()
        expect(page.locator("#receipt")).to_have_text(first)
        page.reload()
        expect(page.locator("#receipt")).to_have_text(second)
        page.goto(f"/c/{CAMPAIGN}/status")
        page.get_by_role("button", name=f"{first} の状況を確かめる").click()
        expect(page.locator("#own-actions")).to_be_visible()
        page.get_by_role("button", name=f"{first} の控えを消す").click()
        assert page.evaluate("localStorage.length") == 0

    keys = open_office.stack.secrets.service_keys.public_keys()
    [key] = [key.public_key for key in keys if (key.service, key.use) == ("intake", "service")]
    assert is_receipt_of(key, document)


def test_an_application_is_corrected_on_the_receipt_page_and_withdrawn_on_the_status_page(
    open_office: Office, browser: Browser, tmp_path: Path
):
    with opened(browser, open_office.url, {**PHONE, "width": 390}) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "訂正 花子"))
        receipt = send(page)
        page.click("#correct")
        expect(page.locator("#correcting-receipt")).to_have_text(receipt)
        assert page.input_value("#name") == "訂正 花子"
        page.fill("#street", "9-9-9")
        page.uncheck("#class-press-kids")
        page.click("#fields button[type=submit]")
        expect(page.locator("#confirm-what")).to_contain_text("置きかわります")
        keep_picture(page, "site-correction", tmp_path)
        page.click("#send")
        expect(page.locator("#done-heading")).to_have_text("直した内容を受け付けました")
        assert [each["document"]["version"] for each in receipts(page)] == [2]
        block_until(lambda: open_office.person(receipt).address.endswith("9-9-9"))
        expect(page.locator("#status-now .status-complete")).to_be_visible()
        ask_status(
            page, receipt.lower(), page.inner_text("#code").lower() if page.locator("#code").is_visible() else ""
        )
        page.click("#withdraw")
        expect(page.locator("#withdrawal")).to_contain_text("抽選の対象になりません")
        keep_picture(page, "site-withdrawal", tmp_path)
        page.click("#leave-withdrawal")
        expect(page.locator("#done")).to_be_visible()
        page.click("#withdraw")
        page.click("#send-withdrawal")
        expect(page.locator("#done-heading")).to_have_text("取下げを受け付けました")
        expect(page.locator("#status-now .status-withdrawn")).to_be_visible()


def test_a_refused_correction_says_why_and_loses_nothing(open_office: Office, browser: Browser):
    """Meet a wrong code, another page that came first, the end of the window, and a network that is away."""
    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "追越 花子"))
        receipt, number, code = send(page), page.inner_text("#entry-number"), page.inner_text("#code")
        ask_status(page, receipt, "0000-0000-0000-0000")
        assert page.inner_text("#entry-number") != number
        page.click("#correct")
        expect(page.locator("#correcting")).to_be_visible()
        fill(page, other_name(Typed(), "別人 花子"))
        page.click("#fields button[type=submit]")
        page.click("#send")
        expect(page.locator("#failed-why")).to_contain_text("組合せが正しくありません")
        page.click("#again")
        expect(page.locator("#name")).to_have_value("別人 花子")
        page.click("#leave-correction")
        ask_status(page, receipt, code)
        assert page.inner_text("#entry-number") == number
        page.click("#correct")
        fill(page, other_name(Typed(street="3-3-3"), "追越 花子"))
        for name, status, why in (("version-taken", 409, "ほかの画面で先に"), ("closed", 403, "説明")):
            page.route(VERSIONS, refuse(name, status), times=1)
            page.click("#fields button[type=submit]")
            page.click("#send")
            expect(page.locator("#failed-why")).to_contain_text(why)
            expect(page.locator("#failed-why .state")).to_have_count(int(name == "version-taken"))
            page.click("#again")
            expect(page.locator("#street")).to_have_value("3-3-3")
        page.route(VERSIONS, lambda route: route.abort(), times=1)
        page.click("#fields button[type=submit]")
        page.click("#send")
        page.click("#send-now")
        expect(page.locator("#done-heading")).to_have_text("直した内容を受け付けました")


def test_without_a_genuine_receipt_document_nothing_is_shown_as_received(open_office: Office, browser: Browser):
    """Change one member of the signed document: the page sends the same bytes again and shows no number."""

    def forge(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"receipt": "W-7K3M-9Q2P-6"})

    with opened(browser, open_office.url) as page:
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, other_name(Typed(), "偽造 花子"))
        page.route("**/applications", forge, times=1)
        page.click("#fields button[type=submit]")
        page.click("#send")
        expect(page.locator("#failed-why")).to_contain_text("本物かどうか確かめられませんでした")
        assert page.locator("#done").is_hidden()
        page.click("#again")
        expect(page.locator("#done")).to_be_visible()
        assert page.inner_text("#receipt") != "W-7K3M-9Q2P-6"
