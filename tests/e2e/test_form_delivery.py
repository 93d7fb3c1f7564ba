"""Deliver one application in spite of failures on the way; no readable data leaves the device."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import Office
from tests.e2e.test_form import ADULT, CAMPAIGN, Typed, fill, other_name, receipt_of, send
from tests.support.browser import opened
from tests.support.leak_search import hunt_files, hunt_memory, seek

APPLICATIONS = "**/applications"


@contextmanager
def confirming(office: Office, browser: Browser, typed: Typed) -> Iterator[tuple[Page, list[dict[str, Any]]]]:
    """Yield a page at the confirmation, and the applications that it sends from there."""
    with opened(browser, office.url) as page:
        sent: list[dict[str, Any]] = []
        page.on("request", lambda each: sent.append(each.post_data_json) if each.method == "POST" else None)
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, typed)
        page.click("#fields button[type=submit]")
        expect(page.locator("#confirm")).to_be_visible()
        yield page, sent


def new_applicant() -> Typed:
    return other_name(ADULT, f"送信 {secrets.token_hex(6)}")


def problem(route: Route, status: int, name: str, **headers: str) -> None:
    body = {"type": f"urn:kuji:problem:{name}", "title": "題", "detail": "説明", "detail_en": "words", "status": status}
    route.fulfill(status=status, body=json.dumps(body), content_type="application/problem+json", headers=headers)


def taken(office: Office, sent: list[dict[str, Any]]) -> list[str]:
    """Return the receipts that intake gave for the sent applications."""
    ids = {each["application_id"] for each in sent}
    return [line["receipt"] for each in ids for line in office.documents("intake", "applications", _id=each)]


def test_an_answer_that_is_lost_makes_no_second_application(open_office: Office, browser: Browser):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        lost: list[int] = []

        def lose_the_first(route: Route) -> None:
            if lost:
                route.continue_()
                return
            lost.append(route.fetch().status)
            route.abort()

        page.route(APPLICATIONS, lose_the_first)
        page.click("#send")
        expect(page.locator("#sending-state")).to_contain_text("二重に申し込まれることもありません")
        page.click("#send-now")
        receipt = receipt_of(page)

    assert lost == [202]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert taken(open_office, sent) == [receipt]


def test_a_double_click_sends_once(open_office: Office, browser: Browser):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.evaluate(
            "() => { const send = document.getElementById('send'); send.click(); send.click(); send.click(); }"
        )
        expect(page.locator("#done")).to_be_visible()

    assert len(sent) == 1


def test_a_reload_in_the_middle_carries_on_with_the_same_application(open_office: Office, browser: Browser):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.route(APPLICATIONS, lambda route: route.abort())
        page.click("#send")
        expect(page.locator("#send-now")).to_be_visible()
        page.unroute(APPLICATIONS)
        page.reload()
        receipt = receipt_of(page)

    assert len(sent) >= 2
    assert all(each == sent[0] for each in sent)
    assert taken(open_office, sent) == [receipt]


def test_the_back_button_after_sending_shows_the_receipt_and_sends_nothing(open_office: Office, browser: Browser):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.click("#send")
        expect(page.locator("#done")).to_be_visible()
        receipt = receipt_of(page)
        page.go_back()
        expect(page.locator("#done")).to_be_visible()
        page.reload()
        expect(page.locator("#receipt")).to_have_text(receipt)

    assert len(sent) == 1


@pytest.mark.parametrize(("status", "name"), [(503, "unavailable"), (429, "too-many-requests"), (408, "body-timeout")])
def test_the_page_waits_as_intake_asks_and_delivers(open_office: Office, browser: Browser, status: int, name: str):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.route(APPLICATIONS, lambda route: problem(route, status, name, **{"Retry-After": "1"}), times=1)
        page.click("#send")
        expect(page.locator("#sending-state")).to_contain_text("1秒後")
        expect(page.locator("#done")).to_be_visible()

    assert sent[0] == sent[1]


def test_a_key_that_expired_meanwhile_is_replaced_and_the_application_keeps_its_id(
    open_office: Office, browser: Browser
):
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.route(APPLICATIONS, lambda route: problem(route, 409, "key-expired"), times=1)
        page.click("#send")
        expect(page.locator("#done")).to_be_visible()

    assert sent[0]["application_id"] == sent[1]["application_id"]
    assert sent[0]["sealed"] != sent[1]["sealed"]


def test_a_window_that_closed_meanwhile_is_shown_and_the_typed_text_stays(open_office: Office, browser: Browser):
    with confirming(open_office, browser, new_applicant()) as (page, _):
        page.route(APPLICATIONS, lambda route: problem(route, 403, "closed"))
        page.click("#send")
        expect(page.locator("#failed-why")).to_contain_text("説明")
        page.click("#again")
        expect(page.locator("#name")).to_have_value(page.input_value("#name"))
        assert page.input_value("#name").startswith("送信")


def test_with_a_key_document_that_was_tampered_with_nothing_is_sent(open_office: Office, browser: Browser):
    """Swap the key: the page refuses it, because it contains the vault's signing key."""

    def swap(route: Route) -> None:
        answer = route.fetch()
        document = answer.json()
        route.fulfill(response=answer, json=document | {"public_key": document["public_key"][:-8] + "AAAAAAAA"})

    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.route("**/sealing-key", swap)
        page.click("#send")
        expect(page.locator("#failed-why")).to_contain_text("送信をやめました")

    assert sent == []


def test_no_person_is_readable_on_the_wire_or_at_intake(open_office: Office, browser: Browser):
    """R-C2 with the real form: the wire, intake's memory, logs, the broker's disk and intake's database."""
    canary = f"qz{secrets.token_hex(4)}kanaria"
    typed = Typed(
        name=f"{canary} 花子", guardian=f"{canary} 太郎", street=f"1-4-1 {canary}荘", email=f"{canary}@example.jp",
        phone="03-0000-7777",
    )  # fmt: skip
    sought = seek({"canary": canary, "phone": "0300007777"})
    wire: list[bytes] = []
    with opened(browser, open_office.url) as page:
        page.on(
            "request", lambda each: wire.append(f"{each.url} {each.headers}".encode() + (each.post_data_buffer or b""))
        )
        page.goto(f"/c/{CAMPAIGN}/apply")
        fill(page, typed)
        receipt = send(page)

    assert open_office.person(receipt).guardian_name == f"{canary} 太郎"
    assert sum(map(len, wire)) > 3_000
    assert sought.find("wire", b"\n".join(wire)) == []
    memory = hunt_memory(open_office.stack.pid("intake"), "intake", sought)
    assert memory.read > 10_000_000
    assert list(memory.findings) == []
    assert hunt_files(open_office.stack.home / "logs", sought) == []
    assert hunt_files(open_office.stack.servers.rabbitmq.home, sought) == []
    assert sought.find("intake", str(open_office.documents("intake", "applications")).encode()) == []
    assert hunt_memory(open_office.stack.pid("vault"), "vault", sought).findings


def test_a_replay_under_another_id_is_refused_by_the_vault(open_office: Office, browser: Browser):
    """Copy the sealed bytes under another id: they are bound to their own."""
    with confirming(open_office, browser, new_applicant()) as (page, sent):
        page.click("#send")
        expect(page.locator("#done")).to_be_visible()
        copied = sent[0] | {"application_id": "0b6f2a52-5d0b-4b6c-9d3a-0123456789ab"}
        path = f"/v1/campaigns/{CAMPAIGN}/applications"
        again = page.request.post(path, data=sent[0])
        assert (again.status, again.json()["receipt"]) == (202, page.inner_text("#receipt"))
        assert page.request.post(path, data=sent[0] | {"sealed": sent[0]["sealed"][:-4] + "AAAA"}).status == 409
        replay = page.request.post(path, data=copied)
        page.goto(f"/c/{CAMPAIGN}/status")
        page.fill("#receipt", replay.json()["receipt"])
        for _ in range(20):
            page.click("#ask button")
            page.wait_for_timeout(250)
            if "読み取れませんでした" in page.inner_text("#answer"):
                return
        raise AssertionError("the vault did not refuse the replay")
