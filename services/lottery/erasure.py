"""Erase a campaign at the lottery: entries, roll, outcomes and the key of the pass codes; the transcript stays.

The transcript holds no person and no token, only ids that applicants know of themselves (R-C11, R-C12).
"""

from collections.abc import Sequence
from typing import Final

from services.lottery.draw import collections as draws
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.erasure import Queues, count_outbox, judged_queues, judged_store
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import OUTBOX, Store, UnitOfWork

_log = get_logger(__name__)

_PERSONAL: Final = (*draws.PERSONAL, *places.PERSONAL, *reception.PERSONAL)
_BUSY: Final = frozenset({DrawState.FREEZING, DrawState.DRAWN})
"""States in which the service still needs the entries: to write the list down, or to publish results."""


class LotteryErasure:
    """Erases campaigns and reports what is left to the vault."""

    def __init__(self, store: Store, keys: LotteryKeys, queues: Queues) -> None:
        self._store, self._keys, self._queues = store, keys, queues

    async def on_requested(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        """Store the request; the scheduler carries it out, so that a restart in between loses nothing."""
        for event in events:
            await FollowUpRepository(uow).request_erasure(event.campaign, event.erasure_id)

    async def carry_out(self, campaign: Campaign) -> None:
        """Erase if that was requested and is not complete. Safe to repeat at any point."""
        draw = await DrawRepository(self._store).find(campaign.id)
        if draw is None or draw.erasure is None or not draw.erasure.is_pending or draw.state in _BUSY:
            return
        before = draw.erasure.before or await self._count(campaign.id)
        await FollowUpRepository(self._store).begin_erasure(campaign.id, before)
        await self._erase(campaign.id)
        after = await self._count(campaign.id)
        stores = [judged_store(name, before[name], after[name]) for name in before]
        await self._report(campaign.id, draw.erasure.id, (*stores, await judged_queues(self._queues)))

    async def _erase(self, campaign: CampaignId) -> None:
        for name in _PERSONAL:
            await self._store.db[name].delete_many({"campaign": campaign})
        self._keys.forget(campaign)
        await self._queues.purge_campaign(campaign)

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many documents of the campaign each store holds."""
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in _PERSONAL}
        counts["pass-key"] = int(self._keys.has_pass_key(campaign))
        counts[OUTBOX] = await count_outbox(self._store, campaign)
        return counts

    async def _report(self, campaign: CampaignId, erasure_id: str, stores: tuple[StoreErasure, ...]) -> None:
        completed = ErasureCompleted(campaign=campaign, erasure_id=erasure_id, service="lottery", stores=stores)

        async def complete(uow: UnitOfWork) -> None:
            if await FollowUpRepository(uow).complete_erasure(campaign, erasure_id):
                await uow.emit(completed)

        await self._store.transact(complete)
        _log.info("campaign-erased", campaign=campaign, erasure=erasure_id)
