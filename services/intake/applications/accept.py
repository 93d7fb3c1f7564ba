"""Accept an application: insert it as pending, publish it, mark it received, then give the receipt (ADR 0014).

A failure on the way leaves at most a pending record, which is not shown. The same request, repeated, continues there.
"""

from services.intake import problems
from services.intake.applications.admission_check import AdmissionCheck, refuse_closed
from services.intake.applications.publish import ApplicationPublisher
from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.stored import Arrival, StoredSubmission
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.receipts.key_repository import ReceiptKeyRepository
from services.intake.rules.states import Status
from services.intake.rules.submission import Submission, fingerprint, hash_sealed
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ApplicationReceived
from shared.web import ProblemError


class Acceptance:
    """Give receipts for applications."""

    def __init__(
        self,
        submissions: SubmissionRepository,
        admission: AdmissionCheck,
        stages: CampaignStageRepository,
        receipt_keys: ReceiptKeyRepository,
        publisher: ApplicationPublisher,
        clock: Clock,
    ) -> None:
        self._submissions, self._admission, self._stages = submissions, admission, stages
        self._receipt_keys, self._publisher, self._clock = receipt_keys, publisher, clock

    async def accept(self, campaign: Campaign, submission: Submission) -> str:
        """Return the receipt document; a repetition returns the same one. Raises ProblemError (403, 409, 503)."""
        arrival = Arrival(
            submission.application_id,
            campaign.id,
            "web",
            fingerprint(campaign.id, submission),
            submission.proof_sha256,
            self._clock.now(),
        )
        refusal = await self._admission.refusal(campaign, "web", submission.key_id, arrival.at)
        if refusal is None:
            receipt_key = await self._receipt_keys.find(campaign.id)
            stored = await self._submissions.add(arrival, receipt_key, hash_sealed(submission.sealed))
        else:
            stored = await self._find(arrival, refusal)
        if stored.arrival.fingerprint != arrival.fingerprint:
            raise problems.conflict()
        if stored.status in {Status.PENDING, Status.LATE}:
            await self._complete(campaign, submission, stored)
        return stored.document

    async def _find(self, arrival: Arrival, refusal: ProblemError) -> StoredSubmission:
        """Return the record of an application that first arrived in time. Raises `refusal` where there is none."""
        stored = await self._submissions.find(arrival.application_id)
        if stored is None:
            raise refusal
        return stored

    async def _complete(self, campaign: Campaign, submission: Submission, stored: StoredSubmission) -> None:
        """Publish the application and mark it received.

        The stage is read only after the record was inserted: then either the closing process sees the record, or
        this process sees the closing.
        """
        if not await self._stages.is_open(campaign.id):
            if (await self._stages.find(campaign.id)).is_erased:
                await self._submissions.delete(campaign.id)  # the record was inserted after the erasure's deletion
            raise refuse_closed(campaign, "web")
        event = ApplicationReceived(
            campaign=campaign.id,
            application_id=stored.arrival.application_id,
            receipt=stored.receipt,
            version=1,
            channel="web",
            key_id=submission.key_id,
            sealed=submission.sealed,
            received_at=stored.arrival.at,
        )
        await self._publisher.publish(event)
        if not await self._submissions.confirm(stored.arrival.application_id):
            raise refuse_closed(campaign, "web")
