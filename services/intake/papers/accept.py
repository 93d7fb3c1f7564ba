"""Taking a paper as applications are taken: noted, confirmed by the broker, marked, and then receipted (ADR 14)."""

from typing import Protocol

from services.intake.applications.admission_check import Gate, over
from services.intake.campaigns.stages import Stages
from services.intake.papers import problems as paper_problems
from services.intake.papers.repository import PaperLedger, PaperRecord, SerialTaken
from services.intake.rules.paper_states import PaperStatus
from services.intake.rules.paper_submission import PaperSubmission
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import Event, PaperReceived
from shared.ids import EventId, Receipt, derived_event_id
from shared.web import ProblemError


class Publisher(Protocol):
    async def publish(self, event: Event, event_id: EventId | None = None) -> EventId:
        """Returns once the broker has confirmed; raises TransientError otherwise."""


class PaperAcceptance:
    def __init__(self, ledger: PaperLedger, gate: Gate, stages: Stages, publisher: Publisher, clock: Clock) -> None:
        self._ledger, self._gate, self._stages = ledger, gate, stages
        self._publisher, self._clock = publisher, clock

    async def accept(self, campaign: Campaign, paper: PaperSubmission, fingerprint: str) -> Receipt:
        """The receipt, the same one however often this is asked. Raises ProblemError (403, 409, 503)."""
        refusal = await self._gate.refusal(campaign, paper.channel, paper.key_id, self._clock.now())
        record = await self._find(paper, refusal) if refusal else await self._note(campaign, paper, fingerprint)
        if record.fingerprint != fingerprint:
            raise paper_problems.conflict()
        if record.status in {PaperStatus.PENDING, PaperStatus.LATE}:
            await self._complete(campaign, paper, record)
        return record.receipt

    async def _find(self, paper: PaperSubmission, refusal: ProblemError) -> PaperRecord:
        """A repetition of what came in time; anything else is refused."""
        record = await self._ledger.find(paper.paper_id)
        if record is None:
            raise refusal
        return record

    async def _note(self, campaign: Campaign, paper: PaperSubmission, fingerprint: str) -> PaperRecord:
        try:
            return await self._ledger.note(campaign.id, paper, fingerprint)
        except SerialTaken:
            raise paper_problems.serial_taken() from None

    async def _complete(self, campaign: Campaign, paper: PaperSubmission, record: PaperRecord) -> None:
        """The stage is read after the line was written: whoever closes the campaign either sees the line or is seen."""
        if not await self._stages.is_open(campaign.id):
            raise over(campaign, paper.channel)
        arrived = PaperReceived(
            campaign=campaign.id,
            paper_id=paper.paper_id,
            receipt=record.receipt,
            channel=paper.channel,
            serial=paper.serial,
            key_id=paper.key_id,
            sealed=paper.sealed,
            received_at=paper.received_at,
        )
        await self._publisher.publish(arrived, derived_event_id(PaperReceived.name, paper.paper_id))
        if not await self._ledger.confirm(paper.paper_id):
            raise over(campaign, paper.channel)
