"""Closing a campaign at intake: the roll of receipts, said once, however many instances look after it.

Open → closing: from here nothing new is marked as received, except what was already under way (`acceptance`
reads the stage after it has noted a line). That is waited for; what stays pending is given up.
A paper that nobody has keyed or put aside yet keeps the roll back (ADR 16).
Closing → closed: in one transaction with the parts of the roll in the outbox, so that they leave exactly once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.intake.applications.repository import Ledger
from services.intake.campaigns.stages import Stages
from services.intake.papers.repository import PaperLedger
from services.intake.rules.states import Stage
from services.intake.rules.window import is_over
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ReceiptsClosed
from shared.ids import ApplicationId, CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

PART_SIZE: Final = 1000
"""Ids in one message."""

_log = get_logger(__name__)


class Closing:
    """`settle_s`: longest that an application can be under way (wall time, seconds)."""

    def __init__(
        self, store: Store, ledger: Ledger, papers: PaperLedger, stages: Stages, clock: Clock, settle_s: float
    ) -> None:
        self._store, self._ledger, self._papers = store, ledger, papers
        self._stages, self._clock = stages, clock
        self._settle = timedelta(seconds=settle_s)

    async def close_if_over(self, campaign: Campaign) -> None:
        """Go as far as can be gone now; to be called again until the campaign is closed."""
        if not is_over(campaign, self._clock.now()):
            return
        await self._stages.advance(campaign.id, Stage.CLOSING)
        if (await self._stages.of(campaign.id)).stage is not Stage.CLOSING:
            return
        if await self._under_way(campaign.id):
            return
        await self._ledger.give_up_pending(campaign.id)
        await self._papers.give_up_pending(campaign.id)
        if await self._papers.unkeyed(campaign.id):
            return
        await self._store.transact(lambda uow: self._call_the_roll(campaign.id, uow))

    async def _under_way(self, campaign: CampaignId) -> bool:
        since = datetime.now(UTC) - self._settle
        counts = await self._ledger.pending_since(campaign, since), await self._papers.pending_since(campaign, since)
        return any(counts)

    async def _call_the_roll(self, campaign: CampaignId, uow: UnitOfWork) -> None:
        if not await self._stages.advance(campaign, Stage.CLOSED, uow=uow):
            return
        roll = await self._ledger.roll(campaign, uow)
        for part in parts_of(campaign, roll):
            await uow.emit(part)
        _log.info("receipts-closed", campaign=campaign, total=len(roll))


def parts_of(campaign: CampaignId, roll: Sequence[ApplicationId]) -> list[ReceiptsClosed]:
    """The roll in messages of at most 1,000 ids; an empty roll is one empty part, so that nobody waits for it."""
    parts = max(1, -(-len(roll) // PART_SIZE))
    return [
        ReceiptsClosed(
            campaign=campaign,
            part=number + 1,
            parts=parts,
            total=len(roll),
            application_ids=tuple(roll[number * PART_SIZE : (number + 1) * PART_SIZE]),
        )
        for number in range(parts)
    ]
