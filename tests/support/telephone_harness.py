"""Run the vault's telephone desk on a real database, with people in its register and staff who sign in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from httpx import AsyncClient, Response

from services.vault.applications import (
    act_repository,
    index_repository,
    pair_repository,
    subject_request_repository,
)
from services.vault.applications import repository as application_repository
from services.vault.applications.readings import NameReadings
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.verdicts import VerdictWriter
from services.vault.closeout import repository as close_outs
from services.vault.deliveries import left_out_repository, slips_repository
from services.vault.deliveries import repository as deliveries
from services.vault.identities import repository as identities
from services.vault.identities.reveal import Identities
from services.vault.papers import draft_repository, keying_repository
from services.vault.papers import repository as papers
from services.vault.person_erasure import repository as person_erasure
from services.vault.person_erasure.order import PersonErasureOrders
from services.vault.person_erasure.steps import PersonErasureSteps
from services.vault.printroom import repository as print_repository
from services.vault.telephone.wiring import telephone_routers
from shared.campaign import load_campaign
from shared.postal_codes import PostalCodes
from shared.typesetting import Typesetter
from tests.support.erasure_harness import PlannedQueues, answer_keys
from tests.support.people_harness import HANDLER, ORIGINS, PeopleHarness, running
from tests.support.vault_parts import CAMPAIGN, SAMPLE, Parts

ALL_ORIGINS = {**ORIGINS, "notifier": "http://notifier.localhost:8103", "intake": "http://intake.localhost:8101"}
PAGE = "/desk/applicants"


@dataclass
class TelephoneDesk:
    """The pages, the people behind them, and the register. `forgotten`: papers whose pictures were to be dropped."""

    staff: PeopleHarness
    register: Parts
    erasing: PersonErasureSteps
    forgotten: list[str]

    async def handler(self) -> AsyncClient:
        """Return the browser of a handler who signed in; the ward's officer and the responsible handler agreed."""
        responsible, ward = await self.staff.set_up()
        await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
        [request] = await self.staff.people.requests.waiting()
        page = await ward.post(f"/desk/people/requests/{request.id}/approve")
        code = page.text.split('id="code">')[1].split("<")[0]
        browser = self.staff.browser()
        assert (await self.staff.accept(browser, HANDLER["id"], code)).status_code == 303
        return browser

    async def lines(self, after: int = 0) -> list[str]:
        """Return the lines of the audit log."""
        return await self.staff.audit.lines(after, 100_000)

    async def end(self) -> int:
        return await self.staff.audit.end()


@asynccontextmanager
async def telephone_desk(
    mongo_url: str, namespace: str, folder: Path, origins: Mapping[str, str] = ALL_ORIGINS
) -> AsyncIterator[TelephoneDesk]:
    """Run the pages with an empty register."""
    campaign = load_campaign(SAMPLE)
    campaigns = {CAMPAIGN: campaign}
    async with running(mongo_url, namespace, folder, origins) as staff:
        staff.keystore.ensure_campaign(CAMPAIGN, campaign.window.paper_until)
        own = (
            identities,
            index_repository,
            application_repository,
            act_repository,
            subject_request_repository,
            deliveries,
            papers,
            pair_repository,
            left_out_repository,
            slips_repository,
            draft_repository,
            keying_repository,
            print_repository,
            person_erasure,
            close_outs,
        )
        await staff.store.ensure([each for part in own for each in part.collections()])
        search = DuplicateSearch(staff.store, staff.keystore, staff.audit, NameReadings().of)
        verdicts, queues, forgotten = VerdictWriter(staff.store, search), PlannedQueues(), list[str]()
        orders = PersonErasureOrders(staff.store, staff.keystore, staff.audit, campaigns, verdicts, staff.clock)
        erasing = PersonErasureSteps(
            staff.store, orders, staff.keystore, staff.audit, queues, queues, answer_keys(), Typesetter(), staff.clock,
            forgotten.extend,
        )  # fmt: skip
        known = Identities(staff.store, staff.keystore, staff.audit, campaigns)
        for router in telephone_routers(
            origins, staff.people, staff.approvals, staff.keystore, staff.audit, known, NameReadings().of,
            campaigns,
            PostalCodes().municipalities, staff.clock, Typesetter(), orders,
        ):  # fmt: skip
            staff.app.include_router(router)
        register = Parts(staff.store, campaign, staff.clock, staff.keystore, staff.audit, known, folder)
        yield TelephoneDesk(staff, register, erasing, forgotten)


async def search(browser: AsyncClient, purpose: str = "arrived", **parts: str) -> Response:
    """Send the search form."""
    return await browser.post(PAGE, data={"purpose": purpose, **parts})
