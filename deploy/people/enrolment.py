"""Make accounts the real way: first start, invitations, requests approved by the other role, sign-in."""

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx
from pyotp import TOTP

from deploy.people.browser import LONGEST_S, ServiceAddress, StaffBrowser
from deploy.people.invented import InventedAccount
from deploy.people.passkey import SoftwarePasskey
from shared.errors import KujiError

_FIRST: Final = 2
"""The first two accounts are those of the responsible handler and of the ward's officer."""

_STEP_S: Final = 30
_SECRET: Final = re.compile(r'id="secret">([A-Z2-7 ]+)<')
_CODE: Final = re.compile(r'id="code">([^<]+)<')


class EnrolmentError(KujiError):
    """Raised when an account cannot be made; the text names the account and the page that refused."""


@dataclass(frozen=True)
class SignedInPerson:
    """Invented person with a session at the vault."""

    account: InventedAccount
    browser: StaffBrowser
    passkey: SoftwarePasskey | None = None


def enrol_all(
    services: Mapping[str, ServiceAddress], setup_token: str, accounts: Sequence[InventedAccount]
) -> list[SignedInPerson]:
    """Make all accounts and sign them in; the first two are the responsible handler and the ward's officer.

    Raises EnrolmentError.
    """
    first, others = accounts[:_FIRST], accounts[_FIRST:]
    people = _enrol_each(services, first, _make_first(services["vault"], setup_token, first))
    responsible, ward = (person.browser for person in people)
    codes = [_invite(account, responsible, ward) for account in others]
    return [*people, *_enrol_each(services, others, codes)]


def _enrol_each(
    services: Mapping[str, ServiceAddress], accounts: Sequence[InventedAccount], codes: Sequence[str]
) -> list[SignedInPerson]:
    """Use the invitations at the same time: hashing a password takes a while."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(lambda account, code: _enrol(services, account, code), accounts, codes))


def sign_in(services: Mapping[str, ServiceAddress], account: InventedAccount) -> SignedInPerson:
    """Sign in by password and one-time code; a code that was used makes the caller wait for the next."""
    browser = StaffBrowser(services)
    answer = _send_sign_in(browser, account)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        time.sleep(_STEP_S - time.time() % _STEP_S + 0.1)
        answer = _send_sign_in(browser, account)
    _require(answer, HTTPStatus.SEE_OTHER, account, "/sign-in")
    return SignedInPerson(account, browser)


def _send_sign_in(browser: StaffBrowser, account: InventedAccount) -> httpx.Response:
    form = {"id": account.id, "password": account.password, "code": TOTP(account.totp).now()}
    return browser.request("vault", "POST", "/sign-in", form=form)


def _make_first(vault: ServiceAddress, token: str, first: Sequence[InventedAccount]) -> list[str]:
    """Return the codes of the first two. The token makes them once."""
    names = ("responsible", "ward")
    body = {
        name: {key: value for key, value in account.fields.items() if key != "roles"}
        for name, account in zip(names, first, strict=True)
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{vault.url}/v1/people/first", json=body, headers=headers, timeout=LONGEST_S)
    _require(answer, HTTPStatus.OK, first[0], "/v1/people/first")
    return [answer.json()[name]["code"] for name in names]


def _invite(account: InventedAccount, responsible: StaffBrowser, ward: StaffBrowser) -> str:
    """Ask for the account as the responsible handler, approve it as the ward, and return the code."""
    asked = responsible.request("vault", "POST", "/desk/people/requests", form={"kind": "create", **account.fields})
    _require(asked, HTTPStatus.SEE_OTHER, account, "/desk/people/requests")
    listed = ward.request("vault", "GET", "/desk/people").text
    part = listed.partition(f'data-request="{account.id}"')[2]
    approval = re.search(r'action="([^"]+/approve)"', part)
    if approval is None:
        raise EnrolmentError(f"{account.id}: the request is not on the page of the ward's officer")
    approved = ward.request("vault", "POST", approval[1], form={})
    return _found(_CODE, approved, account, "approval")


def _enrol(services: Mapping[str, ServiceAddress], account: InventedAccount, code: str) -> SignedInPerson:
    """Use an invitation: the account is then signed in."""
    browser = StaffBrowser(services)
    page = browser.request("vault", "POST", "/sign-in/invitation", form={"id": account.id, "code": code})
    totp = _found(_SECRET, page, account, "/sign-in/invitation").replace(" ", "")
    form = {
        "id": account.id,
        "invitation": code,
        "password": account.password,
        "password_again": account.password,
        "code": TOTP(totp).now(),
    }
    _require(
        browser.request("vault", "POST", "/sign-in/factors", form=form),
        HTTPStatus.SEE_OTHER,
        account,
        "/sign-in/factors",
    )
    passkey = _add_passkey(services["vault"], browser, account)
    return SignedInPerson(replace(account, totp=totp), browser, passkey)


def _add_passkey(vault: ServiceAddress, browser: StaffBrowser, account: InventedAccount) -> SoftwarePasskey:
    """Register a passkey, with which the person signs approvals: one-time codes count once in half a minute."""
    passkey = SoftwarePasskey(str(urlsplit(vault.pages).hostname), vault.pages)
    options = browser.request("vault", "POST", "/desk/me/passkeys/options", body={})
    _require(options, HTTPStatus.OK, account, "/desk/me/passkeys/options")
    body = {"answer": passkey.register(options.json())}
    _require(
        browser.request("vault", "POST", "/desk/me/passkeys", body=body), HTTPStatus.OK, account, "/desk/me/passkeys"
    )
    return passkey


def _found(pattern: re.Pattern[str], answer: httpx.Response, account: InventedAccount, page: str) -> str:
    _require(answer, HTTPStatus.OK, account, page)
    found = pattern.search(answer.text)
    if found is None:
        raise EnrolmentError(f"{account.id}: {page} does not show what the next page needs")
    return found[1].strip()


def _require(answer: httpx.Response, status: HTTPStatus, account: InventedAccount, page: str) -> None:
    if answer.status_code != status:
        raise EnrolmentError(f"{account.id}: {page} answered {answer.status_code}, not {status.value}")
