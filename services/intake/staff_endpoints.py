"""What staff may ask of intake: numbers."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends

from services.intake import problems
from services.intake.applications.repository import Ledger
from services.intake.campaigns.sealing_keys import Keys
from services.intake.campaigns.stages import Stages
from services.intake.papers.repository import PaperLedger
from services.intake.rules.states import RECEIPTED
from services.intake.schemas import Summary, refusals
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.web.staff_token import Guard


def operations_router(
    campaigns: Mapping[CampaignId, Campaign],
    ledger: Ledger,
    papers: PaperLedger,
    keys: Keys,
    stages: Stages,
    *,
    staff: Guard,
) -> APIRouter:
    router = APIRouter(prefix="/v1/campaigns", tags=["staff"], dependencies=[Depends(staff)])

    @router.get("/{campaign}/summary", responses=refusals(401, 404, 503))
    async def summary(campaign: CampaignId) -> Summary:
        """How many applications stand where."""
        if campaign not in campaigns:
            raise problems.unknown_campaign()
        counts, key = await ledger.counts(campaign), await keys.current(campaign)
        received = sum(by_status.get(each, 0) for by_status in counts.values() for each in RECEIPTED)
        return Summary(
            campaign=campaign,
            stage=(await stages.of(campaign)).stage.value,
            key_id=None if key is None else key.key_id,
            received=received,
            by_channel=counts,
            papers=await papers.counts(campaign),
            papers_unkeyed=await papers.unkeyed(campaign),
        )

    return router
