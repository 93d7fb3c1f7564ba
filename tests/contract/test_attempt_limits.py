"""A walk over all routes of all listeners: attempts are limited by the client's address, and each refusal is logged.

A route is of one of three kinds: it asks for a session or a token (the address gets 429 after too many answers 401); it
is open and something can be tried there (it has a limit of its own); or it is open and shows the same to everybody.
`integration/vault/test_bounces.py` does it for SMTP.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
import structlog
from fastapi import FastAPI

from services.lottery.places.ownership import Ownership, PlaceOwner, WrongProofError
from services.vault.people import enrolment, passkeys, sign_in_limits, terminal
from services.vault.people.code_repository import CodeRepository
from services.vault.people.repository import AccountRepository
from shared import logging
from shared.contracts import SERVICES
from shared.web import signed_out_limit, wrong_proofs
from tests.support.all_routes import OPEN, KnownRoute, routes_with_paths
from tests.support.listeners import APPROVALS, LISTENERS, listening

MOST: Final = 3
STRANGER, OTHER = "192.0.2.7", "2001:db8:1:2::9"
CAMPAIGN: Final = "/v1/campaigns/{campaign}"
_PROOF: Final = {"v": 2, "entry": "0" * 32, "proof": "A" * 43}

TRIED: Final[dict[str, dict[str, object]]] = {
    "intake": {
        f"POST {CAMPAIGN}/applications": {},
        "POST /v1/applications/{application_id}/versions": {},
        "GET /v1/applications/{application_id}": None,
        f"GET {CAMPAIGN}/receipts/{{receipt}}": None,
        "GET /v1/postal-codes/{code}": None,
    },
    "lottery": {
        f"POST {CAMPAIGN}/places/own": _PROOF,
        f"POST {CAMPAIGN}/places/own/answer": {**_PROOF, "class_id": "running", "answer": "withdraw"},
    },
    "notifier": {},
    "vault": {
        "POST /sign-in": {"id": "suzuki-01", "password": "a wrong password", "code": "000000"},
        "POST /sign-in/terminal": {"code": "0000-0000"},
        "POST /sign-in/passkey/options": {},
        "POST /sign-in/invitation": {"id": "suzuki-01", "code": "0000"},
        "POST /sign-in/factors": {"id": "suzuki-01", "invitation": "0000"},
    },
}  # fmt: skip
"""Open routes with a limit of their own, and what is sent there (forms to the vault's pages)."""

_CHALLENGED: Final = {"vault": {"POST /sign-in/passkey"}}
"""Its attempts need a challenge each, and challenges are limited (`POST /sign-in/passkey/options`)."""

SAME_FOR_ALL: Final[dict[str, set[str]]] = {
    service: OPEN[service] - set(TRIED[service]) - _CHALLENGED.get(service, set()) for service in SERVICES
}
"""Nothing can be tried here: public documents, empty forms, health, the way to the sign-in, and the own sign-out."""


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Write logs as a service does, and return what reads them."""
    logging.configure("test", "info")
    yield capsys
    structlog.reset_defaults()


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower each limit, and let the database answer that it knows nobody."""
    for module, name in (
        (signed_out_limit, "MOST_SIGNED_OUT"), (enrolment, "_ATTEMPTS"), (terminal, "_ATTEMPTS"),
        (passkeys, "_CHALLENGES"), (sign_in_limits, "_BY_ACCOUNT"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, MOST)
    monkeypatch.setattr(wrong_proofs.WrongProofs.__init__, "__defaults__", (MOST, wrong_proofs.WINDOW_S))

    async def find_nobody(*_: object) -> None:
        return None

    async def refuse(*_: object) -> PlaceOwner:
        raise WrongProofError("not the proof of this entry")

    for repository, name in (
        (AccountRepository, "find"), (AccountRepository, "record_failure_of_unknown"),
        (CodeRepository, "take_terminal_code"), (CodeRepository, "open_invitation"),
        (CodeRepository, "find_invitation"),
    ):  # fmt: skip
        monkeypatch.setattr(repository, name, find_nobody)
    monkeypatch.setattr(Ownership, "prove", refuse)


def caller(app: FastAPI, client: httpx.AsyncClient, address: str) -> httpx.AsyncClient:
    """Return a client at this address."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40_000))
    return httpx.AsyncClient(transport=transport, base_url=client.base_url, headers={"Origin": str(client.base_url)})


def service_of(listener: str) -> str:
    return "vault" if listener == APPROVALS else listener


def test_every_open_route_has_a_limit_or_shows_the_same_to_everybody() -> None:
    """Compare the tables above with the open routes: a route that is added has to be put into one of them."""
    for service in SERVICES:
        kinds = (set(TRIED[service]), _CHALLENGED.get(service, set()), SAME_FOR_ALL[service])
        assert sum(map(len, kinds)) == len(set().union(*kinds)), "no route is in two tables"
        assert set().union(*kinds) == OPEN[service]


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("listener", LISTENERS)
async def test_an_address_without_a_session_is_limited_at_every_staff_route_and_another_is_not(
    listener: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.CaptureFixture[str],
) -> None:
    async with listening(listener, tmp_path, monkeypatch) as (app, client):
        staff = [route for route in routes_with_paths(app) if route.name not in OPEN[service_of(listener)]]
        changes = [route for route in staff if route.method != "GET"]
        async with caller(app, client, STRANGER) as stranger, caller(app, client, OTHER) as other:
            limited = 0
            for route in staff:
                for _ in range(2 * MOST + 1):  # a slow machine may begin another window meanwhile
                    log.readouterr()
                    answer = await ask(stranger, route)
                    if answer.status_code != 401:
                        break
                is_page = route.method == "GET" and not route.path.startswith("/v1/")
                if is_page and answer.status_code == 303:
                    continue  # the way to the sign-in
                assert answer.status_code == 429, route
                assert int(answer.headers["retry-after"]) >= 1
                assert log.readouterr().out.count('"request-refused"') == 1, route
                limited += 1
            assert limited >= len(changes)
            assert (await ask(other, changes[0])).status_code == 401


@pytest.mark.usefixtures("low_limits")
@pytest.mark.parametrize("listener", LISTENERS)
async def test_attempts_at_open_routes_are_limited_by_address_and_another_address_goes_on(
    listener: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.CaptureFixture[str],
) -> None:
    rates = {"applications_per_minute": MOST, "lookups_per_minute": MOST} if listener == "intake" else {}
    async with listening(listener, tmp_path, monkeypatch, **rates) as (app, client):
        for number, route in enumerate(routes_with_paths(app)):
            if route.name not in TRIED[service_of(listener)] or route.path.startswith("/en/"):
                continue
            sent = TRIED[service_of(listener)][route.name]
            own = f"2001:db8:1:{number:x}::9"  # for each route: answers 401 of all routes are counted together, too
            async with caller(app, client, STRANGER) as stranger, caller(app, client, own) as other:
                statuses = [(await ask(stranger, route, sent)).status_code for _ in range(2 * MOST + 1)]
                log.readouterr()
                assert (await ask(stranger, route, sent)).status_code == 429, (route, statuses)
                assert log.readouterr().out.count('"request-refused"') == 1, route
                assert (await ask(other, route, sent)).status_code != 429, route


async def ask(client: httpx.AsyncClient, route: KnownRoute, sent: object = None) -> httpx.Response:
    """Send a request as the route's page or program does."""
    if route.method == "GET":
        return await client.get(route.path, headers={"Sec-Fetch-Dest": "empty"})
    if sent and not route.path.startswith("/v1/") and "terminal" not in route.path:
        return await client.request(route.method, route.path, data=sent)
    return await client.request(route.method, route.path, json=sent or {})
