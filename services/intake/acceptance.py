"""Taking an application: note it, let the broker confirm it, mark it, and only then give the receipt (ADR 0014).

Whatever fails on the way leaves at most a pending line that nobody can see; the same request, repeated, carries
on from there.
"""

from services.intake import problems
from services.intake.handover import Handover
from services.intake.keys import Keys
from services.intake.ledger import Arrival, Ledger, Record
from services.intake.stages import Stages
from services.intake.states import Status
from services.intake.submission import Submission, fingerprint
from services.intake.window import Timing, deadline, timing
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ApplicationReceived, Channel
from shared.ids import Receipt
from shared.web import ProblemError, unavailable


class Acceptance:
    def __init__(self, ledger: Ledger, keys: Keys, stages: Stages, handover: Handover, clock: Clock) -> None:
        self._ledger, self._keys, self._stages = ledger, keys, stages
        self._handover, self._clock = handover, clock

    async def accept(self, campaign: Campaign, channel: Channel, submission: Submission) -> Receipt:
        """The receipt, the same one however often this is asked. Raises ProblemError (403, 409, 503)."""
        print_ = fingerprint(campaign.id, channel, submission)
        arrival = Arrival(submission.application_id, campaign.id, channel, print_, self._clock.now())
        refusal = await self._refusal(campaign, submission, arrival)
        record = await self._ledger.find(arrival.application_id) if refusal else await self._ledger.note(arrival)
        if record is None:
            assert refusal is not None  # noqa: S101  (nothing is noted only where there is a refusal)
            raise refusal
        if record.arrival.fingerprint != arrival.fingerprint:
            raise problems.conflict()
        if record.status in {Status.PENDING, Status.LATE}:
            await self._complete(campaign, submission, record)
        return record.receipt

    async def _refusal(self, campaign: Campaign, submission: Submission, arrival: Arrival) -> ProblemError | None:
        """Why a first arrival is not taken now; repetitions of what came in time are."""
        window = campaign.window
        match timing(campaign, arrival.channel, arrival.at):
            case Timing.EARLY:
                return problems.not_open_yet(window.opens, window.closes)
            case Timing.LATE:
                return problems.closed(window.opens, deadline(campaign, arrival.channel))
        key = await self._keys.find(campaign.id, submission.key_id)
        if key is not None and arrival.at < key.not_after:
            return None
        current = await self._keys.current(campaign.id)
        if current is None or current.not_after <= arrival.at:
            return unavailable("The vault has not published a usable sealing key yet. Send the same again shortly.")
        return problems.key_expired(current.key_id)

    async def _complete(self, campaign: Campaign, submission: Submission, record: Record) -> None:
        """The stage is read after the line was written: whoever closes the campaign either sees the line or is seen."""
        window = campaign.window
        over = problems.closed(window.opens, deadline(campaign, record.arrival.channel))
        if not await self._stages.is_open(campaign.id):
            raise over
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
            raise over
