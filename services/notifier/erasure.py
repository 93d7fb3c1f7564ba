"""Erasure at the notifier: contacts, results, notices and batches go (R-C11, R-C12)."""

from collections.abc import Sequence

from services.notifier.collections import PERSONAL
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.erasure import Queues, count_outbox, judged_queues, judged_store
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import OUTBOX, Collection, Store, UnitOfWork

_log = get_logger(__name__)

ERASURES = "erasures"


def collections() -> list[Collection]:
    return [Collection(ERASURES)]


class Erasure:
    def __init__(self, store: Store, queues: Queues) -> None:
        self._store, self._queues = store, queues

    async def on_requested(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        """Note what is asked for; `carry_out` does it, so that a restart in between loses nothing."""
        for event in events:
            noted = {"campaign": event.campaign, "state": "requested"}
            await uow.db[ERASURES].update_one(
                {"_id": event.erasure_id}, {"$setOnInsert": noted}, upsert=True, session=uow.session
            )

    async def carry_out(self, due: Campaign) -> None:
        """Erase what was asked for and not yet told. Safe to repeat at any point."""
        campaign = due.id
        async for asked in self._store.db[ERASURES].find({"state": "requested", "campaign": campaign}):
            before = asked.get("before") or await self._count(campaign)
            await self._store.db[ERASURES].update_one({"_id": asked["_id"]}, {"$set": {"before": before}})
            for name in PERSONAL:
                await self._store.db[name].delete_many({"campaign": campaign})
            await self._queues.purge_campaign(campaign)
            after = await self._count(campaign)
            stores = [judged_store(name, before[name], after[name]) for name in before]
            await self._tell(campaign, asked["_id"], (*stores, await judged_queues(self._queues)))

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in PERSONAL}
        return {**counts, OUTBOX: await count_outbox(self._store, campaign)}

    async def _tell(self, campaign: CampaignId, erasure_id: str, stores: tuple[StoreErasure, ...]) -> None:
        async def work(uow: UnitOfWork) -> None:
            told = await uow.db[ERASURES].update_one(
                {"_id": erasure_id, "state": "requested"}, {"$set": {"state": "told"}}, session=uow.session
            )
            if told.modified_count:
                await uow.emit(
                    ErasureCompleted(campaign=campaign, erasure_id=erasure_id, service="notifier", stores=stores)
                )

        await self._store.transact(work)
        _log.info("campaign-erased", campaign=campaign, erasure=erasure_id)
