"""Taking an application: note it, let the broker confirm it, mark it, and only then give the receipt (ADR 0014).

Whatever fails on the way leaves at most a pending line that nobody can see; the same request, repeated, carries
on from there.
"""

from services.intake import problems
from services.intake.applications.admission_check import Gate, over
from services.intake.applications.publish import Handover
from services.intake.applications.repository import Arrival, Ledger, Record
from services.intake.campaigns.stages import Stages
from services.intake.rules.states import Status
from services.intake.rules.submission import Submission, fingerprint
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ApplicationReceived, Channel
from shared.ids import Receipt


class Acceptance:
    def __init__(self, ledger: Ledger, gate: Gate, stages: Stages, handover: Handover, clock: Clock) -> None:
        self._ledger, self._gate, self._stages = ledger, gate, stages
        self._handover, self._clock = handover, clock

    async def accept(self, campaign: Campaign, channel: Channel, submission: Submission) -> Receipt:
        """The receipt, the same one however often this is asked. Raises ProblemError (403, 409, 503)."""
        print_ = fingerprint(campaign.id, channel, submission)
        arrival = Arrival(submission.application_id, campaign.id, channel, print_, self._clock.now())
        refusal = await self._gate.refusal(campaign, channel, submission.key_id, arrival.at)
        record = await self._ledger.find(arrival.application_id) if refusal else await self._ledger.note(arrival)
        if record is None:
            assert refusal is not None  # noqa: S101  (nothing is noted only where there is a refusal)
            raise refusal
        if record.arrival.fingerprint != arrival.fingerprint:
            raise problems.conflict()
        if record.status in {Status.PENDING, Status.LATE}:
            await self._complete(campaign, submission, record)
        return record.receipt

    async def _complete(self, campaign: Campaign, submission: Submission, record: Record) -> None:
        """The stage is read after the line was written: whoever closes the campaign either sees the line or is seen."""
        if not await self._stages.is_open(campaign.id):
            raise over(campaign, record.arrival.channel)
        arrived = ApplicationReceived(
            campaign=campaign.id,
            application_id=record.arrival.application_id,
            receipt=record.receipt,
            channel=record.arrival.channel,
            key_id=submission.key_id,
            sealed=submission.sealed,
            received_at=record.arrival.at,
        )
        await self._handover.give(arrived)
        if not await self._ledger.confirm(record.arrival.application_id):
            raise over(campaign, record.arrival.channel)
