"""Tell the status of an application: it follows from the application's own content until the draw is published."""

from services.intake.applications.stored import StoredSubmission
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.rules.states import Status
from services.intake.schemas import ApplicationStatus
from shared.web import ProblemError


class StatusReader:
    """Describe statuses. After the draw each `complete` application reads `drawn`, a copy too."""

    def __init__(self, stages: CampaignStageRepository) -> None:
        self._stages = stages

    async def describe(self, submission: StoredSubmission | None, unknown: ProblemError) -> ApplicationStatus:
        """Return the status. Raises `unknown` where there is no application with a receipt."""
        if submission is None or not submission.has_receipt:
            raise unknown
        is_complete = submission.status is Status.COMPLETE
        drawn = is_complete and (await self._stages.find(submission.arrival.campaign)).is_drawn
        return ApplicationStatus.model_validate(
            {
                "receipt": submission.receipt,
                "application_id": submission.arrival.application_id,
                "status": "drawn" if drawn else submission.status,
                "reasons": submission.reasons,
                "next_version": submission.version + 1,
            }
        )
