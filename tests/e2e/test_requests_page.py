"""A person is erased on demand, in a running installation, by two people with the keyboard alone."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, Page, expect

from deploy.local.stack import origins
from deploy.people.browser import ServiceAddress
from deploy.people.invented import HANDLER, RESPONSIBLE, WARD, invent, on_duty
from deploy.people.team import Team
from services.vault.person_erasure.rules.certificate import verify_person_certificate
from tests.e2e.conftest import Office
from tests.e2e.test_telephone_page import ITO, SATO, apply, check, cookies_of, find, open_first
from tests.support.browser import DESKTOP, PHONE, opened, overflows, tab_to, violations
from tests.support.waiting import block_until

CERTIFIED_MS = 180_000
"""Longest wait for the certificate, on a busy machine: the services wait 65 s for old transactions."""


@dataclass(frozen=True)
class Register:
    """The installation, two applicants by receipt number, and the pages of a handler and of the ward's officer."""

    office: Office
    gone: str
    other: str
    handler: Page
    ward: Page

    @property
    def public_key(self) -> str:
        """Key with which the vault signs, as intake has it pinned."""
        return self.office.stack.pin_file.read_text("ascii").strip()


@dataclass(frozen=True)
class Prepared:
    """The installation, two applicants by receipt number, and the cookies of people who signed in at `vault`."""

    office: Office
    vault: str
    receipts: list[str]
    cookies: dict[str, list[SetCookieParam]]


@pytest.fixture(scope="module")
def prepared(open_office: Office) -> Prepared:
    ports, stack = open_office.stack.ports, open_office.stack
    pages = origins(ports)
    services = {name: ServiceAddress(stack.url(name), pages[name]) for name in ports}
    people = invent(*on_duty([open_office.campaign]), ids=(RESPONSIBLE, WARD, HANDLER))
    team = Team.enrol(services, stack.secrets.setup_token_file, people)
    receipts = [apply(open_office, SATO, "1600021"), apply(open_office, ITO, "1500041")]
    for receipt in receipts:
        open_office.register(receipt)
    cookies = {person: cookies_of(team, pages["vault"], person) for person in (HANDLER, WARD)}
    return Prepared(open_office, pages["vault"], receipts, cookies)


@pytest.fixture
def register(prepared: Prepared, browser: Browser) -> Iterator[Register]:
    with ExitStack() as contexts:
        tabs = {person: contexts.enter_context(opened(browser, prepared.vault, DESKTOP)) for person in prepared.cookies}
        for person, page in tabs.items():
            page.context.add_cookies(prepared.cookies[person])
        yield Register(prepared.office, *prepared.receipts, tabs[HANDLER], tabs[WARD])


def press(page: Page, element_id: str) -> None:
    tab_to(page, element_id)
    page.keyboard.press("Enter")


def choose(page: Page, element_id: str, downs: int) -> None:
    tab_to(page, element_id)
    for _ in range(downs):
        page.keyboard.press("ArrowDown")


def test_two_people_erase_one_person_who_asked(register: Register, tmp_path: Path):
    handler, ward = register.handler, register.ward
    find(handler, "rights", number=register.gone)
    open_first(handler)
    choose(handler, "request-kind", 3)
    choose(handler, "request-identity", 1)
    press(handler, "record-request")
    card = handler.locator("[data-request]")
    expect(card).to_have_attribute("data-state", "received")
    expect(handler.locator("#erase-1")).to_have_count(0)

    ward.goto("/desk/requests")
    expect(ward.locator("#typed-1")).to_have_count(0)
    press(ward, "granted-1")
    expect(ward.locator("[data-request]")).to_have_attribute("data-state", "granted")
    expect(ward.locator("#erase-1")).to_have_count(0)

    handler.goto("/desk/requests")
    check(handler, "requests-granted", tmp_path)
    tab_to(handler, "typed-1")
    handler.keyboard.insert_text(register.other)
    handler.keyboard.press("Enter")
    expect(handler.get_by_role("alert")).to_contain_text("受付番号が一致しません")
    assert violations(handler) == []
    tab_to(handler, "typed-1")
    handler.keyboard.insert_text(register.gone.lower().replace("-", ""))
    handler.keyboard.press("Enter")
    expect(handler.locator("[data-erasure]")).to_be_visible()
    check(handler, "requests-erasing", tmp_path)

    block_until(lambda: _is_certified(handler), CERTIFIED_MS / 1000)
    check(handler, "requests-erased", tmp_path)
    content = _downloaded(handler, "signed-1")
    document = json.loads(content)
    assert (document["verdict"], document["receipt"]) == ("PASS", register.gone)
    assert all(one.passed for one in verify_person_certificate(content, register.public_key))
    assert _downloaded(handler, "certificate-1").startswith(b"%PDF-")
    press(handler, "notified-1")
    expect(card).to_have_attribute("data-state", "notified")
    _check_that_only_the_other_is_left(register)


def test_the_register_fits_a_telephone(register: Register):
    register.ward.set_viewport_size(PHONE)  # type: ignore[arg-type]
    register.ward.goto("/desk/requests")
    assert violations(register.ward) == []
    assert not overflows(register.ward)


def _is_certified(page: Page) -> bool:
    page.reload()
    return page.locator("[data-request]").get_attribute("data-state") == "done"


def _downloaded(page: Page, element_id: str) -> bytes:
    """Follow a link of the page by keyboard, and return the file."""
    with page.expect_download() as download:
        press(page, element_id)
    return download.value.path().read_bytes()


def _check_that_only_the_other_is_left(register: Register) -> None:
    office = register.office
    for service, collection, count in (
        ("vault", "identities", 1),
        ("vault", "applications", 1),
        ("notifier", "contacts", 1),
    ):
        assert [one["receipt"] for one in office.documents(service, collection)] == [register.other] * count
    [entry] = office.documents("lottery", "entries", receipt=register.gone)
    assert (entry["verdict"], entry["entry"]) == ("withdrawn", None)
    status = httpx.get(f"{office.url}/v1/campaigns/{office.campaign.id}/receipts/{register.gone}", timeout=10)
    assert status.status_code == 404
