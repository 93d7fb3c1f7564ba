"""A handler answers three calls at the telephone desk: did it arrive, the address is wrong, the mail did not come."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, Page, expect

from deploy.demo.sealing import SealingKey
from deploy.local.stack import origins
from deploy.people.approvals import ApprovalRequest
from deploy.people.browser import ServiceAddress
from deploy.people.invented import HANDLER, RESPONSIBLE, WARD, invent, on_duty
from deploy.people.team import Team
from shared.codes import intake_proof, new_code, proof_digest
from shared.ids import new_application_id
from tests.e2e.conftest import Office
from tests.support.browser import DESKTOP, keep_picture, opened, overflows, tab_to, violations
from tests.support.waiting import block_until

STAFF = (RESPONSIBLE, WARD, HANDLER)
SATO = {
    "name": "佐藤 さくら",
    "address": "東京都新宿区歌舞伎町1-4-1",
    "phone": "0312345678",
    "email": "sakura@gmail.example",
}
ITO = {"name": "伊東 健太", "address": "東京都渋谷区神南1-1-1", "phone": "0399998888", "email": "kenta@gmail.example"}
CANARIES = [one[name] for one in (SATO, ITO) for name in ("name", "phone", "email")]


@dataclass(frozen=True)
class Desk:
    """The installation, the cookies of a handler who signed in at `vault`, and two applicants by receipt number."""

    office: Office
    cookies: list[SetCookieParam]
    vault: str
    receipts: dict[str, str]


def cookies_of(team: Team, vault: str, person: str = HANDLER) -> list[SetCookieParam]:
    """Return the person's cookies; before the browser runs, which has an event loop of its own."""
    pairs = asyncio.run(team.headers(person, "vault"))["Cookie"].split("; ")
    return [{"name": name, "value": value, "url": vault} for name, _, value in (pair.partition("=") for pair in pairs)]


def apply(office: Office, applicant: dict[str, str], postal_code: str) -> str:
    """Send an application like an applicant's program, and return its receipt number."""
    campaign = office.campaign
    key_address = f"{office.url}/v1/campaigns/{campaign.id}/sealing-key"
    block_until(lambda: httpx.get(key_address, timeout=10).status_code == 200)
    document = httpx.get(key_address, timeout=10).json()
    key = SealingKey.from_document(document, campaign=campaign.id, trusted=office.stack.pin_file.read_text("ascii"))
    own = new_application_id()
    code = new_code(campaign.id, own)
    content = {
        "v": 2, "code": code, "purpose_version": campaign.purpose.version,
        "applicant": {**applicant, "postal_code": postal_code, "grade": "p3"},
        "guardian": {"name": "佐藤 恵子"}, "choices": [{"class": "junior-football", "seats": 1}],
    }  # fmt: skip
    body = {
        "v": 2, "application_id": own, "key_id": key.key_id,
        "sealed": key.seal(own, json.dumps(content, ensure_ascii=False).encode()),
        "proof_sha256": proof_digest(intake_proof(campaign.id, own, code)),
    }  # fmt: skip
    answer = httpx.post(f"{office.url}/v1/campaigns/{campaign.id}/applications", json=body, timeout=30)
    assert answer.status_code == 202, answer.text
    receipt: str = answer.json()["receipt"]
    return receipt


def release_texts(office: Office, team: Team, vault: ServiceAddress) -> None:
    """Release the texts of all notices, as two people do."""
    path = f"{vault.url}/v1/campaigns/{office.campaign.id}/notice-templates"

    def call(method: str, address: str, **more: Any) -> Any:
        headers = asyncio.run(team.headers(RESPONSIBLE, "vault"))
        return httpx.request(method, address, headers=headers, timeout=30, **more).raise_for_status().json()

    request = ApprovalRequest("release-templates", office.campaign.id, "first-release", {})
    approval = asyncio.run(team.approval(request, RESPONSIBLE, (WARD,)))
    listed = call("GET", path)["templates"]
    named = [{name: one[name] for name in ("kind", "channel")} for one in listed]
    call("POST", f"{path}/releases", json={"approval": approval, "templates": named})


@pytest.fixture(scope="module")
def desk(open_office: Office) -> Desk:
    ports, stack = open_office.stack.ports, open_office.stack
    pages = origins(ports)
    services = {name: ServiceAddress(stack.url(name), pages[name]) for name in ports}
    team = Team.enrol(services, stack.secrets.setup_token_file, invent(*on_duty([open_office.campaign]), ids=STAFF))
    release_texts(open_office, team, services["vault"])
    receipts = {"sato": apply(open_office, SATO, "1600021"), "ito": apply(open_office, ITO, "1500041")}
    for receipt in receipts.values():
        open_office.register(receipt)
    return Desk(open_office, cookies_of(team, pages["vault"]), pages["vault"], receipts)


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    with opened(browser, desk.vault, DESKTOP) as handler:
        handler.context.add_cookies(desk.cookies)
        yield handler


def find(page: Page, purpose: str, **parts: str) -> None:
    """Fill the search form in by keyboard alone."""
    page.goto("/desk/applicants")
    tab_to(page, "purpose-arrived")
    for _ in range(("arrived", "change", "undelivered", "call", "rights").index(purpose)):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    for name, text in parts.items():
        tab_to(page, name)
        page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_visible()


def open_first(page: Page) -> None:
    tab_to(page, "open-1")
    page.keyboard.press("Enter")
    expect(page.locator("#person")).to_be_visible()


def check(page: Page, name: str, folder: Path) -> None:
    assert violations(page) == []
    assert not overflows(page)
    keep_picture(page, name, folder)


def test_did_my_application_arrive(desk: Desk, page: Page, tmp_path: Path):
    find(page, "arrived", phone="5678")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    assert SATO["name"] not in page.content()
    check(page, "telephone-search", tmp_path)
    open_first(page)
    expect(page.locator("h1")).to_contain_text(desk.receipts["sato"])
    expect(page.locator("#state")).to_contain_text("受け付けました")
    expect(page.locator("#versions li")).to_have_count(1)
    expect(page.locator("#person")).to_contain_text(SATO["address"])
    check(page, "telephone-person", tmp_path)
    assert all(canary not in page.url for canary in CANARIES)


def test_i_typed_the_wrong_address(desk: Desk, page: Page, tmp_path: Path):
    find(page, "change", name="佐藤さくら")
    open_first(page)
    page.click("#act-correct")
    address = "東京都新宿区西新宿2-8-1"
    page.fill("#postal_code", "160-0023")
    page.fill("#address", address)
    page.select_option("#reason", "asked-by-telephone")
    check(page, "telephone-correct", tmp_path)
    page.click("#do-correct")
    expect(page.locator("#sent")).to_have_attribute("data-outcome", "send.taken")
    check(page, "telephone-sent", tmp_path)
    block_until(lambda: desk.office.register(desk.receipts["sato"])["content_version"] == 2)
    assert desk.office.person(desk.receipts["sato"]).address == address
    page.click("#back")
    expect(page.locator("#person")).to_contain_text(address)
    expect(page.locator("#versions li")).to_have_count(2)
    expect(page.locator("#acts li")).to_have_attribute("data-act", "correct")
    status = httpx.get(f"{desk.office.url}/v1/campaigns/{desk.office.campaign.id}/receipts/{desk.receipts['sato']}")
    assert status.json()["next_version"] == 3


def test_my_mail_did_not_come_send_it_as_a_card(desk: Desk, page: Page, tmp_path: Path):
    notices = {"kind": "rejected", "way": "mail", "state": "sent"}
    desk.office.awaited("notifier", "notices", **notices)
    find(page, "undelivered", number=desk.receipts["ito"])
    open_first(page)
    expect(page.locator('#notices tr[data-kind="rejected"][data-channel="mail"]')).to_contain_text("送信済み")
    page.select_option("#notice", label="受け付けられない旨")
    page.select_option("#ask-reason", "not-arrived")
    check(page, "telephone-notices", tmp_path)
    page.click("#do-send-card")
    expect(page.locator("#acts li")).to_have_attribute("data-act", "send-card")
    desk.office.awaited("notifier", "notices", kind="rejected", way="card")
    with page.context.expect_page() as tab:
        page.click("#notifier-page")
    other = tab.value
    expect(other.locator('#of-receipt tr[data-kind="rejected"]')).to_contain_text(HANDLER)
    assert "notifier.localhost" in other.url
    assert ITO["name"] not in other.content()
    assert violations(other) == []
    keep_picture(other, "notices-receipt", tmp_path)


def test_no_page_leaves_a_person_in_the_browser_or_in_the_logs(desk: Desk, page: Page):
    find(page, "arrived", name="佐藤さくら", phone="5678")
    open_first(page)
    page.goto("/desk/me")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert page.evaluate("(async () => (await caches.keys()).length)()") == 0
    logs = "".join(desk.office.stack.log(service).read_text("utf-8") for service in desk.office.stack.ports)
    for canary in CANARIES:
        assert canary not in stored
        assert canary not in logs
