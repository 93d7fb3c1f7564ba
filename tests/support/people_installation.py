"""Run the vault's pages of people beside a lottery that trusts the vault; a test delivers the events between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

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
from tests.support.people_harness import LOTTERY, ORIGINS, PeopleHarness, running


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


@asynccontextmanager
async def vault_and_lottery(mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[Installation]:
    """Run both over empty databases."""
    async with (
        own_database(mongo_url, f"{namespace}_lottery") as store,
        running(mongo_url, namespace, folder) as vault,
    ):
        await store.ensure(collections())
        (folder / "pin").write_text(vault.keystore.signing.public, "ascii")
        access = StaffAccess.make("lottery", store, ORIGINS, vault_key_file=folder / "pin", state_dir=folder)
        app = FastAPI()
        install_problems(app)
        app.include_router(access.router())

        @app.get("/who")
        async def who(staff: Annotated[Staff, Depends(access.guard(Right.READ_DRAWS, Right.RUN_DRAWS))]) -> str | None:
            return staff.actor

        yield Installation(vault, app, access, store)
