"""Cases of issue 12 §5: laptops are stolen, telephones lost, people leave or fall ill, strangers guess."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient

from shared.contracts import StaffChanged
from shared.staff_roles import Right
from shared.storage import OUTBOX, Store
from shared.web import install_problems
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.session_repository import collections
from shared.web.sign_in.staff import Staff
from tests.support.databases import own_database
from tests.support.people_harness import HANDLER, LOTTERY, ORIGINS, PeopleHarness, running


@dataclass
class Installation:
    """A vault and a lottery that trusts it; events reach the lottery when the test delivers them."""

    vault: PeopleHarness
    lottery: FastAPI
    access: StaffAccess
    store: Store

    async def at_lottery(self, at_vault: AsyncClient) -> AsyncClient:
        """Return the same browser at the lottery, signed in by way of the vault."""
        browser = AsyncClient(transport=ASGITransport(self.lottery), base_url=LOTTERY, timeout=30)
        asked = await browser.get("/sign-in?next=/who")
        back = await at_vault.get(asked.headers["location"])
        await browser.get(back.headers["location"])
        return browser

    async def deliver(self) -> None:
        """Deliver the events of the vault's outbox to the lottery, as the broker would, twice each."""
        lines = self.vault.store.db[OUTBOX].find({"name": StaffChanged.name}).sort("_id", 1)
        for event in [StaffChanged.model_validate_json(line["body"]) async for line in lines]:
            for _ in range(2):
                await self.store.transact(lambda uow, event=event: self.access.sessions.on_changed([event], uow))


@pytest.fixture
async def installation(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Installation]:
    async with (
        own_database(mongo_url, f"{namespace}_lottery") as store,
        running(mongo_url, namespace, tmp_path) as vault,
    ):
        await store.ensure(collections())
        (tmp_path / "pin").write_text(vault.keystore.signing.public, "ascii")
        access = StaffAccess.make(
            "lottery", store, ORIGINS, token_file=None, vault_key_file=tmp_path / "pin", state_dir=tmp_path
        )
        app = FastAPI()
        install_problems(app)
        app.include_router(access.router())

        @app.get("/who")
        async def who(staff: Annotated[Staff, Depends(access.guard(Right.READ_DRAWS, Right.RUN_DRAWS))]) -> str | None:
            return staff.actor

        yield Installation(vault, app, access, store)


def sids(page: str) -> list[str]:
    return re.findall(r'name="sid" value="([^"]+)"', page)


async def status(browser: AsyncClient, path: str) -> int:
    return (await browser.get(path)).status_code


async def test_a_session_that_its_person_ends_ends_elsewhere_too_and_the_others_go_on(installation: Installation):
    vault = installation.vault
    laptop, _ = await vault.set_up()
    office = vault.browser()
    await vault.sign_in(office, "suzuki-01")
    laptop_there, office_there = await installation.at_lottery(laptop), await installation.at_lottery(office)
    assert (await laptop_there.get("/who")).json() == "suzuki-01"
    newest, oldest = sids((await office.get("/desk/me")).text)
    assert newest != oldest

    await office.post("/desk/me/sessions/end", data={"sid": oldest})
    await installation.deliver()

    assert await status(laptop, "/desk/me") == 303
    assert await status(laptop_there, "/who") == 401
    assert await status(office_there, "/who") == 200
    assert await status(office, "/desk/me") == 200


async def test_an_assertion_of_an_ended_session_signs_in_no_longer(installation: Installation):
    laptop, _ = await installation.vault.set_up()
    browser = AsyncClient(transport=ASGITransport(installation.lottery), base_url=LOTTERY, timeout=30)
    asked = await browser.get("/sign-in?next=/who")
    taken_along = (await laptop.get(asked.headers["location"])).headers["location"]

    await laptop.post("/sign-out")
    await installation.deliver()

    assert await status(browser, taken_along) == 403
    assert await status(browser, "/who") == 401


@pytest.mark.parametrize("helper", ["responsible", "ward"])
async def test_a_stolen_laptop_is_signed_out_everywhere_by_one_other_person(installation: Installation, helper: str):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    stolen = await handler_of(vault, responsible, ward)
    stolen_there = await installation.at_lottery(stolen)
    acting = {"responsible": responsible, "ward": ward}[helper]

    ended = await acting.post("/desk/people/sessions/end", data={"id": "yamada-01"})
    await installation.deliver()

    assert ended.status_code == 200
    assert 'id="sessions-ended"' in ended.text
    assert await status(stolen, "/desk/me") == 303
    assert await status(stolen_there, "/who") == 401
    assert await status(acting, "/desk/me") == 200
    last = (await vault.audit.lines(0))[-1]
    assert "end-sessions" in last
    assert "yamada-01" in last


async def test_a_handler_ends_the_sessions_of_no_other_person(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    handler = await handler_of(vault, responsible, ward)
    refused = await handler.post("/desk/people/sessions/end", data={"id": "suzuki-01"})
    unknown = await ward.post("/desk/people/sessions/end", data={"id": "absent-01"})
    assert (refused.status_code, unknown.status_code) == (409, 409)
    assert await status(responsible, "/desk/me") == 200


async def handler_of(vault: PeopleHarness, responsible: AsyncClient, ward: AsyncClient, **fields: Any) -> AsyncClient:
    """Return the browser of a handler whose account the two made."""
    proposal = {**HANDLER, "tasks": "開封、入力", **fields, "kind": "create"}
    handler = vault.browser()
    await vault.accept(handler, proposal["id"], await decided(vault, responsible, ward, proposal))
    return handler


async def decided(vault: PeopleHarness, asking: AsyncClient, approving: AsyncClient, proposal: dict[str, str]) -> str:
    """Return the invitation code of a request that one browser sends and the other approves."""
    asked = await asking.post("/desk/people/requests", data=proposal)
    assert asked.status_code == 303, asked.text
    (request,) = await vault.people.requests.waiting()
    approved = await approving.post(f"/desk/people/requests/{request.id}/approve")
    assert approved.status_code == 200, approved.text
    code = re.search(r'id="code">([^<]+)<', approved.text)
    return code[1] if code else ""


async def test_the_roster_shows_everything_about_a_handler_that_is_asked_for(installation: Installation):
    vault = installation.vault
    responsible, ward = await vault.set_up()
    await handler_of(vault, responsible, ward)
    roster = (await ward.get("/desk/people")).text
    row = roster[roster.index('<th scope="row">yamada-01') :]
    for shown in (
        "山田太郎", "株式会社くじ", "yamada@example.jp", "取扱者", "2018-05-15", "2018-06-22", "開封、入力",
        "個人情報保護研修", "2018-05-10", "2019-03-31", "田中一郎", "2018-05-11", "有効",
    ):  # fmt: skip
        assert shown in row, shown
