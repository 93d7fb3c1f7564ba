"""Close a campaign at intake and publish the list of receipts exactly once, with any number of instances.

Open → closing: from here on no further application becomes received, except those that were already under way
(`accept.py` reads the stage after it inserted the record). Intake waits for these, then gives up the pending ones.
A paper that no handler has keyed or discarded yet delays the list of receipts (ADR 16).
Corrections need no waiting: each is one transaction that conflicts with the closing (`versions.py`).
Closing → closed: in one transaction with the parts of the list in the outbox, so that each is published once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from services.intake.applications.repository import SubmissionRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers.repository import PaperRepository
from services.intake.rules.states import Stage
from services.intake.rules.window import is_over
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ClosedReceipt, ReceiptsClosed
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

PART_SIZE: Final = 1000
"""Most receipts in one message."""

_log = get_logger(__name__)


class CampaignClosing:
    """Close campaigns. `settle_s`: longest time that an application can be under way (wall time, seconds)."""

    def __init__(
        self,
        store: Store,
        submissions: SubmissionRepository,
        papers: PaperRepository,
        stages: CampaignStageRepository,
        clock: Clock,
        settle_s: float,
    ) -> None:
        self._store, self._submissions, self._papers = store, submissions, papers
        self._stages, self._clock = stages, clock
        self._settle = timedelta(seconds=settle_s)

    async def close_if_over(self, campaign: Campaign) -> None:
        """Take the transitions that are possible now. Call it again until the campaign is closed."""
        if not is_over(campaign, self._clock.now()):
            return
        await self._stages.advance(campaign.id, Stage.CLOSING)
        if (await self._stages.find(campaign.id)).stage is not Stage.CLOSING:
            return
        if await self._is_under_way(campaign.id):
            return
        await self._submissions.give_up_pending(campaign.id)
        await self._papers.give_up_pending(campaign.id)
        if await self._papers.count_unkeyed(campaign.id):
            return
        await self._store.transact(lambda uow: self._publish_receipts(campaign.id, uow))

    async def _is_under_way(self, campaign: CampaignId) -> bool:
        since = datetime.now(UTC) - self._settle
        counts = (
            await self._submissions.count_pending_since(campaign, since),
            await self._papers.count_pending_since(campaign, since),
        )
        return any(counts)

    async def _publish_receipts(self, campaign: CampaignId, uow: UnitOfWork) -> None:
        if not await self._stages.advance(campaign, Stage.CLOSED, uow=uow):
            return
        receipted = [
            *await self._submissions.list_receipted(campaign, uow),
            *await self._papers.list_receipted(campaign, uow),
        ]
        for part in split_receipts(campaign, receipted):
            await uow.emit(part)
        _log.info("receipts-closed", campaign=campaign, total=len(receipted))


def split_receipts(campaign: CampaignId, receipted: Sequence[ClosedReceipt]) -> list[ReceiptsClosed]:
    """Return the list, by receipt number, in messages of at most 1,000 receipts.

    An empty list is one empty part, so that it is published.
    """
    ordered = sorted(receipted, key=lambda closed: closed.receipt)
    parts = max(1, -(-len(ordered) // PART_SIZE))
    return [
        ReceiptsClosed(
            campaign=campaign,
            part=number + 1,
            parts=parts,
            total=len(ordered),
            items=tuple(ordered[number * PART_SIZE : (number + 1) * PART_SIZE]),
        )
        for number in range(parts)
    ]
