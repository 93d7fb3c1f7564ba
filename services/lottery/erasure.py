"""Erasure at the lottery: entries, roll, outcomes and the key of the pass codes go; the public transcript stays.

The transcript holds no person and no token, only ids that applicants know of themselves (R-C11, R-C12).
"""

from collections.abc import Sequence
from typing import Final

from services.lottery.draw import repository as draws
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
_UNDER_WAY: Final = frozenset({DrawState.FREEZING, DrawState.DRAWN})


class Erasure:
    def __init__(self, store: Store, keys: LotteryKeys, queues: Queues) -> None:
        self._store, self._keys, self._queues = store, keys, queues

    async def on_requested(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        """Note what is asked for; the schedule carries it out, so that a restart in between loses nothing."""
        for event in events:
            noted = {"erasure": {"id": event.erasure_id, "state": "requested"}}
            await uow.db[draws.DRAWS].update_one(
                {"_id": event.campaign, "erasure.id": {"$ne": event.erasure_id}}, {"$set": noted}, session=uow.session
            )

    async def carry_out(self, due: Campaign) -> None:
        """Erase if that was asked for and not yet told. Safe to repeat at any point."""
        campaign = due.id
        draw = await self._store.db[draws.DRAWS].find_one({"_id": campaign})
        asked = (draw or {}).get("erasure", {})
        if asked.get("state") != "requested" or (draw or {})["state"] in _UNDER_WAY:
            return  # a list that is being written is written first, and results on their way out are said
        before = asked.get("before") or await self._count(campaign)
        await self._store.db[draws.DRAWS].update_one({"_id": campaign}, {"$set": {"erasure.before": before}})
        for name in _PERSONAL:
            await self._store.db[name].delete_many({"campaign": campaign})
        self._keys.forget(campaign)
        await self._queues.purge_campaign(campaign)
        after = await self._count(campaign)
        stores = [judged_store(name, before[name], after[name]) for name in before]
        await self._tell(campaign, asked["id"], (*stores, await judged_queues(self._queues)))

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        """What is here of the campaign, per store."""
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in _PERSONAL}
        counts["pass-key"] = int(self._keys.has_pass_key(campaign))
        counts[OUTBOX] = await count_outbox(self._store, campaign)
        return counts

    async def _tell(self, campaign: CampaignId, erasure_id: str, stores: tuple[StoreErasure, ...]) -> None:
        async def work(uow: UnitOfWork) -> None:
            told = await uow.db[draws.DRAWS].update_one(
                {"_id": campaign, "erasure.id": erasure_id, "erasure.state": "requested"},
                {"$set": {"erasure.state": "told"}},
                session=uow.session,
            )
            if told.modified_count:
                await uow.emit(
                    ErasureCompleted(campaign=campaign, erasure_id=erasure_id, service="lottery", stores=stores)
                )

        await self._store.transact(work)
        _log.info("campaign-erased", campaign=campaign, erasure=erasure_id)
