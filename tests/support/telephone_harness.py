"""Run the vault's telephone desk on a real database, with people in its register and staff who sign in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from httpx import AsyncClient, Response

from services.vault.applications import act_repository, index_repository, subject_request_repository
from services.vault.applications import repository as application_repository
from services.vault.deliveries import repository as deliveries
from services.vault.identities import repository as identities
from services.vault.identities.reveal import Identities
from services.vault.papers import repository as papers
from services.vault.telephone.wiring import telephone_routers
from shared.campaign import load_campaign
from shared.postal_codes import PostalCodes
from shared.typesetting import Typesetter
from tests.support.people_harness import HANDLER, ORIGINS, PeopleHarness, running
from tests.support.vault_parts import CAMPAIGN, SAMPLE, Parts

ALL_ORIGINS = {**ORIGINS, "notifier": "http://notifier.localhost:8103", "intake": "http://intake.localhost:8101"}
PAGE = "/desk/applicants"


@dataclass
class TelephoneDesk:
    """The pages, the people behind them, and the register."""

    staff: PeopleHarness
    register: Parts

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
        )
        await staff.store.ensure([each for part in own for each in part.collections()])
        known = Identities(staff.store, staff.keystore, staff.audit, campaigns)
        for router in telephone_routers(
            origins, staff.people, staff.approvals, staff.keystore, staff.audit, known, campaigns,
            PostalCodes().municipalities, staff.clock, Typesetter(),
        ):  # fmt: skip
            staff.app.include_router(router)
        register = Parts(staff.store, campaign, staff.clock, staff.keystore, staff.audit, known, folder)
        yield TelephoneDesk(staff, register)


async def search(browser: AsyncClient, purpose: str = "arrived", **parts: str) -> Response:
    """Send the search form."""
    return await browser.post(PAGE, data={"purpose": purpose, **parts})
