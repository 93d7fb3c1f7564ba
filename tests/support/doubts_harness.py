"""Run the vault's pages of doubts on a real database, with applications that look alike and staff who sign in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from httpx import AsyncClient

from services.vault.applications import index_repository, pair_repository
from services.vault.applications import repository as application_repository
from services.vault.applications.matching import COPY
from services.vault.applications.order_repository import OrderRepository
from services.vault.applications.repository import COLLECTION, ApplicationRepository
from services.vault.applications.rules.pairs import Pair
from services.vault.doubts.wiring import doubt_routers
from services.vault.identities import repository as identities
from services.vault.identities.person import Person
from services.vault.identities.reveal import Identities
from shared.campaign import load_campaign
from shared.storage import UnitOfWork
from tests.support.duplicate_search import likeness
from tests.support.people_harness import HANDLER, ORIGINS, PeopleHarness, running
from tests.support.vault_parts import CAMPAIGN, SAMPLE, Known, Parts

PAGE = "/desk/doubts"
_FOUND = datetime(2018, 5, 20, tzinfo=UTC)


@dataclass
class DoubtsDesk:
    """The pages, the people behind them, and the register."""

    staff: PeopleHarness
    register: Parts

    async def handler(self, staff_id: str = HANDLER["id"], roles: str = "handler") -> AsyncClient:
        """Return the browser of a person whom responsible handler and ward made; the first two signed in before."""
        if not await self.staff.people.roster.is_set_up():
            self.responsible, self.ward = await self.staff.set_up()
        await self.invite(staff_id, roles)
        browser = self.staff.browser()
        assert (await self.staff.accept(browser, staff_id, self.code)).status_code == 303
        return browser

    async def invite(self, staff_id: str, roles: str) -> None:
        """Make an account; `code` is its invitation."""
        fields = {**HANDLER, "id": staff_id, "roles": roles, "kind": "create"}
        await self.responsible.post("/desk/people/requests", data=fields)
        [request] = await self.staff.people.requests.waiting()
        page = await self.ward.post(f"/desk/people/requests/{request.id}/approve")
        self.code = page.text.split('id="code">')[1].split("<")[0]

    async def apply(self, people: Sequence[Person], **changes: object) -> list[Known]:
        """Store people in order of arrival, and the doubts that the search finds among them; `changes`: of each row."""
        known = await self.register.admit(people)
        for hour, each in enumerate(known):
            values = {"arrived_at": _FOUND.replace(hour=hour + 1), "received_at": _FOUND.replace(hour=hour + 1)}
            await self.staff.store.db[COLLECTION].update_one(
                {"_id": each.application_id}, {"$set": {**values, **changes}}
            )
        await self.staff.store.transact(lambda uow: self._search(uow, known))
        return known

    async def _search(self, uow: UnitOfWork, known: Sequence[Known]) -> None:
        ids = {one.application_id: one.person for one in known}
        rows = await ApplicationRepository(self.staff.store).by_ids(uow, CAMPAIGN, list(ids))
        orders = OrderRepository(self.staff.store)
        order = await orders.load(uow, CAMPAIGN, list(rows.values()))
        found = [
            (rows[one].keys[COPY], rows[other].keys[COPY], likeness(ids[one], ids[other]))
            for one, other in combinations(rows, 2)
        ]
        order.add_pairs([Pair.of(one, other, alike, _FOUND) for one, other, alike in found if alike.is_doubt])
        order.settle()
        await orders.save(uow, CAMPAIGN, order)

    async def states(self) -> dict[str, str]:
        """Return the state of each application."""
        return {row["_id"]: row["state"] async for row in self.staff.store.db[COLLECTION].find({})}

    async def lines(self, after: int = 0) -> list[str]:
        """Return the lines of the audit log."""
        return await self.staff.audit.lines(after, 100_000)


@asynccontextmanager
async def doubts_desk(
    mongo_url: str, namespace: str, folder: Path, origins: Mapping[str, str] = ORIGINS
) -> AsyncIterator[DoubtsDesk]:
    """Run the pages with an empty register."""
    campaign = load_campaign(SAMPLE)
    campaigns = {CAMPAIGN: campaign}
    async with running(mongo_url, namespace, folder, origins) as staff:
        staff.keystore.ensure_campaign(CAMPAIGN, campaign.window.paper_until)
        own = (identities, index_repository, pair_repository, application_repository)
        await staff.store.ensure([each for part in own for each in part.collections()])
        known = Identities(staff.store, staff.keystore, staff.audit, campaigns)
        for router in doubt_routers(
            origins, staff.people, staff.approvals, staff.keystore, staff.audit, known, campaigns, staff.clock
        ):
            staff.app.include_router(router)
        register = Parts(staff.store, campaign, staff.clock, staff.keystore, staff.audit, known, folder)
        yield DoubtsDesk(staff, register)
