"""Error rates of keying by person and field, for the responsible handler. No applicant is on the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from services.vault.papers.counts_repository import KeyerCounts
from services.vault.papers.rules.keyed_content import MARKABLE
from services.vault.papers.rules.looks import Outcome
from services.vault.papers.wiring import Papers
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.staff_roles import Right


@dataclass(frozen=True)
class CampaignQuality:
    """Keying of one campaign: each person's counts, and how papers were settled."""

    campaign: Campaign
    keyers: Sequence[KeyerCounts]
    outcomes: Sequence[tuple[Outcome, int]]
    seeded: int


@dataclass(frozen=True)
class QualityPage:
    """Parts behind the page."""

    web: Web
    papers: Papers

    async def show(self, texts: Catalogue, present: Present) -> Response:
        """Return the page."""
        found = [await self._of(campaign) for campaign in self.papers.campaigns.values()]
        path = "/desk/papers/quality"
        return self.web.page(
            "quality.html", texts, path, present=present, campaigns=found, fields=(*MARKABLE, "decision")
        )

    async def _of(self, campaign: Campaign) -> CampaignQuality:
        outcomes = await self.papers.keying.papers.outcomes(campaign.id)
        seeded = await self.papers.keying.seeded.count(campaign.id)
        keyers = await self.papers.counts.of_campaign(campaign.id)
        return CampaignQuality(campaign, keyers, [(one, outcomes.get(one, 0)) for one in Outcome], seeded)


def quality_router(page: QualityPage, texts: Catalogue) -> APIRouter:
    """Route the page of one language."""
    router = APIRouter(prefix="/desk/papers/quality")

    @router.get("", response_model=None)
    async def quality(request: Request) -> Response:
        return await page.web.shown_to(
            request, texts, lambda present: page.show(texts, present), Right.READ_KEYING_QUALITY
        )

    return router
