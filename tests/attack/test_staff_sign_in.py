"""Attacks on the sign-in of staff: replay, another service, another browser, another site, a stranger who guesses."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient, Response

from deploy.people.passkey import SoftwarePasskey
from shared.contracts import StaffChanged
from shared.json_types import JsonObject
from shared.signing import SigningKey
from shared.staff_roles import Right, Role
from shared.storage import Store
from shared.web import install_problems
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.session_repository import collections
from shared.web.sign_in.staff import Staff
from tests.support.databases import own_database
from tests.support.people_harness import LOTTERY, PASSWORD, VAULT, PeopleHarness, later, running
from tests.support.staff_sign_in import PlayedVault
from tests.support.waiting import await_all


class Service:
    """A lottery that does nothing but say who is there."""

    def __init__(self, access: StaffAccess, store: Store, vault: PlayedVault) -> None:
        self.access, self.store, self.vault, self.app = access, store, vault, FastAPI()
        install_problems(self.app)
        self.app.include_router(access.router())
        guard = access.guard(Right.READ_DRAWS, Right.RUN_DRAWS)

        @self.app.get("/who")
        @self.app.post("/who")
        async def who(staff: Annotated[Staff, Depends(guard)]) -> str | None:
            return staff.actor

    def browser(self) -> AsyncClient:
        return AsyncClient(transport=ASGITransport(self.app), base_url=self.vault.site, timeout=30)

    async def ask(self, browser: AsyncClient) -> str:
        """Return the nonce with which the service sends this browser to the vault."""
        answer = await browser.get("/sign-in?next=/who")
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        assert query["for"] == ["lottery"]
        return query["nonce"][0]

    async def show(self, browser: AsyncClient, assertion: str) -> Response:
        return await browser.get(f"/signed-in?assertion={assertion}")


@pytest.fixture
async def service(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with own_database(mongo_url, f"{namespace}_lottery") as store:
        await store.ensure(collections())
        vault = PlayedVault(8102, tmp_path, roles=frozenset({Role.HANDLER}))
        yield Service(vault.access(store), store, vault)


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def test_an_assertion_signs_in_its_browser_once(service: Service):
    async with service.browser() as browser, service.browser() as thief:
        assertion = service.vault.assertion(await service.ask(browser))
        assert (await service.show(thief, assertion)).status_code == 403
        answer = await service.show(browser, assertion)
        assert (answer.status_code, answer.headers["location"]) == (303, "/who")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert (await browser.get("/who")).json() == "yamada-01"
        assert (await service.show(browser, assertion)).status_code == 403
        await service.ask(thief)
        assert (await service.show(thief, assertion)).status_code == 403


async def test_no_other_assertion_signs_in(service: Service):
    async with service.browser() as browser:
        nonce, past = await service.ask(browser), datetime.now(UTC) - timedelta(seconds=1)
        other_vault = PlayedVault.__new__(PlayedVault)
        other_vault.__dict__.update(vars(service.vault), signing=SigningKey.generate())
        for refused in (
            service.vault.assertion(nonce, aud="notifier"),
            service.vault.assertion(nonce, until=past),
            service.vault.assertion("A" * 48),
            other_vault.assertion(nonce),
            service.vault.assertion(nonce)[:-4],
            "",
        ):
            assert (await service.show(browser, refused)).status_code == 403
        assert (await browser.get("/who")).status_code == 401
        assert (await service.show(browser, service.vault.assertion(nonce))).status_code == 303


async def test_a_session_id_from_before_the_sign_in_is_worth_nothing(service: Service):
    async with service.browser() as victim, service.browser() as thief:
        victim.cookies.set("kuji-session", "known-to-the-thief", domain="lottery.localhost")
        thief.cookies.set("kuji-session", "known-to-the-thief", domain="lottery.localhost")
        await service.show(victim, service.vault.assertion(await service.ask(victim)))
        assert (await thief.get("/who")).status_code == 401


async def test_another_site_cannot_act_in_a_persons_name(service: Service):
    async with service.browser() as browser:
        await service.show(browser, service.vault.assertion(await service.ask(browser)))
        for origin in ({}, {"origin": "http://elsewhere.example"}, {"origin": VAULT}, {"origin": "null"}):
            assert (await browser.post("/who", headers=origin)).status_code == 403
            assert (await browser.post("/sign-out", headers=origin)).status_code == 403
        assert (await browser.post("/who", headers={"origin": LOTTERY})).json() == "yamada-01"


async def test_roles_bind_in_other_services_too(service: Service):
    async with service.browser() as browser:
        assertion = service.vault.assertion(await service.ask(browser), roles=frozenset({Role.AUDITOR}))
        await service.show(browser, assertion)
        assert (await browser.get("/who")).status_code == 200
        assert (await browser.post("/who", headers={"origin": LOTTERY})).status_code == 403


async def test_a_person_who_leaves_is_out_at_once_and_an_old_event_does_not_let_in_again(service: Service):
    async with service.browser() as browser:
        await service.show(browser, service.vault.assertion(await service.ask(browser)))
        now = datetime.now(UTC)
        gone = StaffChanged(sub="yamada-01", not_before=now, roles=())
        old = StaffChanged(sub="yamada-01", not_before=now - timedelta(hours=1), roles=(Role.HANDLER,))
        for event in (gone, old):
            await service.store.transact(lambda uow, event=event: service.access.sessions.on_changed([event], uow))
        assert (await browser.get("/who")).status_code == 401
        assertion = service.vault.assertion(await service.ask(browser))
        assert (await service.show(browser, assertion)).status_code == 403


async def test_a_code_is_worth_one_sign_in_also_in_two_requests_at_once(vault: PeopleHarness):
    await vault.set_up()
    async with vault.browser() as person, vault.browser() as thief:
        seen = {"id": "suzuki-01", "password": PASSWORD, "code": await vault.fresh_code("suzuki-01")}
        answers = await await_all(*(browser.post("/sign-in", data=seen) for browser in (person, thief)))
        assert sorted(answer.status_code for answer in answers) == [303, 401]
        assert (await thief.post("/sign-in", data=seen)).status_code == 401


async def test_a_session_of_the_vault_cannot_be_fixed_or_used_by_another_site(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    before = responsible.cookies["kuji-session"]
    await vault.sign_in(responsible, "suzuki-01")
    assert responsible.cookies["kuji-session"] != before
    for origin in (LOTTERY, "null", ""):
        answer = await responsible.post("/desk/people/requests", data={"kind": "end"}, headers={"origin": origin})
        assert answer.status_code == 403
    assert (await responsible.get("/desk/me", headers={"host": "lottery.localhost:8102"})).status_code == 307


async def test_a_path_at_another_host_name_neither_fails_nor_becomes_a_header(vault: PeopleHarness):
    async with vault.browser() as stranger:
        for path in ("/assets/%E9%AB%99", "/assets/%0D%0Aset-cookie:%20kuji-session=x?a=%0D%0Ab"):
            answer = await stranger.get(path, headers={"host": "other.localhost"})
            assert answer.status_code == 307
            assert answer.headers["location"].endswith(path.replace(":%20", "%3A%20").replace("session=", "session%3D"))
            assert "set-cookie" not in answer.headers


async def test_the_vault_passes_people_on_to_known_services_only(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    nonce = "A" * 48
    known = await responsible.get(f"/sign-in?for=lottery&nonce={nonce}")
    assert known.headers["location"].startswith(f"{LOTTERY}/signed-in?assertion=")
    for query in (f"for=elsewhere&nonce={nonce}", "for=lottery&nonce=no", "next=//elsewhere.example"):
        assert (await responsible.get(f"/sign-in?{query}")).headers["location"] == "/desk/me"
    vault.clock.at = later(100)
    assert (await responsible.get(f"/sign-in?for=lottery&nonce={nonce}")).status_code == 200


async def test_the_token_of_the_first_start_is_nobody_at_the_desk(vault: PeopleHarness):
    await vault.set_up()
    async with vault.browser() as holder:
        token = {"authorization": "Bearer first-start-of-the-tests"}
        assert (await holder.get("/desk/people", headers=token)).status_code == 303
        assert (await holder.post("/desk/people/requests", data={"kind": "end"}, headers=token)).status_code == 401


async def test_a_passkeys_answer_counts_once_and_for_its_own_challenge_and_page(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    key, thief = SoftwarePasskey("vault.localhost", VAULT), vault.browser()
    options = (await responsible.post("/desk/me/passkeys/options", json={})).json()
    (await responsible.post("/desk/me/passkeys", json={"answer": key.register(options)})).raise_for_status()

    async def challenge() -> JsonObject:
        asked: JsonObject = (await thief.post("/sign-in/passkey/options", json={})).raise_for_status().json()
        return asked

    seen = {"answer": key.sign(await challenge())}
    assert (await responsible.post("/sign-in/passkey", json=seen)).status_code == 200
    assert (await thief.post("/sign-in/passkey", json=seen)).status_code == 401
    invented = {"answer": key.sign({"challenge": "A" * 43})}
    assert (await thief.post("/sign-in/passkey", json=invented)).status_code == 401
    phished = SoftwarePasskey("vault.localhost", "http://vault.example")
    phished.__dict__.update({name: value for name, value in vars(key).items() if name != "origin"})
    assert (await thief.post("/sign-in/passkey", json={"answer": phished.sign(await challenge())})).status_code == 401
    copied = SoftwarePasskey("vault.localhost", VAULT)
    copied.__dict__.update(vars(key) | {"_count": 0})
    assert (await thief.post("/sign-in/passkey", json={"answer": copied.sign(await challenge())})).status_code == 401
    assert (await thief.get("/desk/me")).status_code == 303
