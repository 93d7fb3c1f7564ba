"""Serve counts to staff."""

from collections.abc import Mapping

from fastapi import APIRouter, Depends

from services.intake import problems
from services.intake.applications.repository import SubmissionRepository
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers.repository import PaperRepository
from services.intake.rules.states import RECEIPTED
from services.intake.schemas import Summary, refusals
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.web.sign_in.staff import StaffGuard


def operations_router(
    campaigns: Mapping[CampaignId, Campaign],
    submissions: SubmissionRepository,
    papers: PaperRepository,
    keys: SealingKeyRepository,
    stages: CampaignStageRepository,
    *,
    staff: StaffGuard,
) -> APIRouter:
    """Return the routes for staff."""
    router = APIRouter(prefix="/v1/campaigns", tags=["staff"], dependencies=[Depends(staff)])

    @router.get("/{campaign}/summary", responses=refusals(401, 404, 503))
    async def summary(campaign: CampaignId) -> Summary:
        """Return the number of applications and papers by status."""
        if campaign not in campaigns:
            raise problems.unknown_campaign()
        counts, key = await submissions.count_by_channel(campaign), await keys.find_current(campaign)
        received = sum(by_status.get(status, 0) for by_status in counts.values() for status in RECEIPTED)
        return Summary(
            campaign=campaign,
            stage=(await stages.find(campaign)).stage.value,
            key_id=None if key is None else key.key_id,
            received=received,
            by_channel=counts,
            papers=await papers.count_by_status(campaign),
            papers_unkeyed=await papers.count_unkeyed(campaign),
        )

    return router
