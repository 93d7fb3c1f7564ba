"""The desk's first page: what waits, the oldest first, what the draw waits for, and the day's progress."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from services.vault.approvals.service import Approvals
from services.vault.desk.rules.waiting import WaitingWork, age_at
from services.vault.desk.waiting import CampaignWork, DeskWork
from services.vault.keys.keystore import CampaignKeyGoneError, KeyDestroyedError
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.staff_roles import Right, may


@dataclass(frozen=True)
class HomePage:
    """Parts behind the page."""

    web: Web
    work: DeskWork
    approvals: Approvals

    async def show(self, texts: Catalogue, present: Present) -> Response:
        """Return the page. Who may not read applications sees approvals and the other services' pages only."""
        reads = may(present.account.roles, Right.READ_APPLICATIONS)
        works, without_key = await self._campaigns() if reads else ([], [])
        return self.web.page(
            "home.html",
            texts,
            "/desk",
            present=present,
            campaigns=works,
            without_key=without_key,
            approvals=await self._approvals(texts, present),
            reads=reads,
            elsewhere=self._elsewhere(present),
            now=self.work.clock.now(),
            age_at=age_at,
        )

    async def _campaigns(self) -> tuple[list[CampaignWork], list[Campaign]]:
        """Return the work of each campaign that is not erased, and the campaigns whose key the token lacks."""
        found, without_key = list[CampaignWork](), list[Campaign]()
        for campaign in self.work.papers.campaigns:
            try:
                found.append(await self.work.of(campaign))
            except CampaignKeyGoneError:
                without_key.append(self.work.papers.campaigns[campaign])
            except KeyDestroyedError:
                continue
        return found, without_key

    async def _approvals(self, texts: Catalogue, present: Present) -> WaitingWork | None:
        """Return the approvals that wait for this person; None without any."""
        waiting = await self.approvals.waiting_for(present.account)
        if not waiting:
            return None
        oldest = min(one.request.at if one.request else datetime.now(UTC) for one in waiting)
        return WaitingWork("approvals", len(waiting), oldest, f"{texts.prefix}/approve")

    def _elsewhere(self, present: Present) -> list[tuple[str, str]]:
        """Return name and address of the other services' pages that this person may open."""
        pages = (
            ("lottery", "draws", "/draws", Right.READ_DRAWS),
            ("notifier", "notices", "/notices", Right.READ_NOTICES),
            ("lottery", "reception", "/reception", Right.ADMIT),
        )
        others, roles = self.web.others, present.account.roles
        return [
            (name, others[service].text + path)
            for service, name, path, right in pages
            if service in others and may(roles, right)
        ]


def home_router(page: HomePage, texts: Catalogue) -> APIRouter:
    """Route the page of one language."""
    router = APIRouter(prefix="/desk")

    @router.get("", response_model=None)
    async def home(request: Request) -> Response:
        return await page.web.shown_to(request, texts, lambda present: page.show(texts, present))

    return router
