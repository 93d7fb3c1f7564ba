"""Accept a paper: insert it as pending, publish it, mark it received, then give the receipt (ADR 14)."""

from typing import Protocol

from services.intake.applications.admission_check import AdmissionCheck, refuse_closed
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers import problems as paper_problems
from services.intake.papers.repository import PaperRepository, SerialTakenError, StoredPaper
from services.intake.receipts.key_repository import ReceiptKeyRepository
from services.intake.rules.paper_states import PaperStatus
from services.intake.rules.paper_submission import PaperSubmission
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import Event, PaperReceived
from shared.ids import EventId, derived_event_id
from shared.web import ProblemError


class Publisher(Protocol):
    """Part of the bus that publishes events."""

    async def publish(self, event: Event, event_id: EventId | None = None) -> EventId:
        """Publish an event; return after the broker has confirmed. Raises TransientError."""


class PaperAcceptance:
    """Give receipts for papers."""

    def __init__(
        self,
        papers: PaperRepository,
        admission: AdmissionCheck,
        stages: CampaignStageRepository,
        receipt_keys: ReceiptKeyRepository,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._papers, self._admission, self._stages = papers, admission, stages
        self._receipt_keys, self._publisher, self._clock = receipt_keys, publisher, clock

    async def accept(self, campaign: Campaign, paper: PaperSubmission, fingerprint: str) -> str:
        """Return the receipt document; a repetition returns the same one. Raises ProblemError (403, 409, 503)."""
        refusal = await self._admission.refusal(campaign, paper.channel, paper.key_id, self._clock.now())
        stored = await self._find(paper, refusal) if refusal else await self._add(campaign, paper, fingerprint)
        if stored.fingerprint != fingerprint:
            raise paper_problems.conflict()
        if stored.status in {PaperStatus.PENDING, PaperStatus.LATE}:
            await self._complete(campaign, paper, stored)
        return stored.document

    async def _find(self, paper: PaperSubmission, refusal: ProblemError) -> StoredPaper:
        """Return the record of a paper that first arrived in time. Raises `refusal` where there is none."""
        stored = await self._papers.find(paper.paper_id)
        if stored is None:
            raise refusal
        return stored

    async def _add(self, campaign: Campaign, paper: PaperSubmission, fingerprint: str) -> StoredPaper:
        try:
            receipt_key = await self._receipt_keys.find(campaign.id)
            return await self._papers.add(campaign.id, paper, fingerprint, receipt_key)
        except SerialTakenError:
            raise paper_problems.serial_taken() from None

    async def _complete(self, campaign: Campaign, paper: PaperSubmission, stored: StoredPaper) -> None:
        """Publish the paper and mark it received; `applications/accept.py` explains the order."""
        if not await self._stages.is_open(campaign.id):
            if (await self._stages.find(campaign.id)).is_erased:
                await self._papers.delete(campaign.id)
            raise refuse_closed(campaign, paper.channel)
        event = PaperReceived(
            campaign=campaign.id,
            paper_id=paper.paper_id,
            receipt=stored.receipt,
            channel=paper.channel,
            serial=paper.serial,
            key_id=paper.key_id,
            sealed=paper.sealed,
            received_at=paper.received_at,
        )
        await self._publisher.publish(event, derived_event_id(PaperReceived.name, paper.paper_id))
        if not await self._papers.confirm(paper.paper_id):
            raise refuse_closed(campaign, paper.channel)
