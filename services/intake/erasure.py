"""Erasure at intake: asked for by a message, carried out by the watch, told once (R-C11, R-S7).

Afterwards nothing of the campaign is left here but one line with its id, that says so.
"""

import asyncio
import json
from typing import Final, Protocol

from services.intake.keys import SEALING_KEYS
from services.intake.ledger import APPLICATIONS
from services.intake.stages import Stages, Standing
from services.intake.states import Stage
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import OUTBOX, Store, UnitOfWork

_ERASED: Final = (APPLICATIONS, SEALING_KEYS)
_QUEUES: Final = "queues"
_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.2


class Queues(Protocol):
    """Intake's own queues on the broker."""

    async def queue_depths(self) -> dict[str, int]:
        """Messages waiting, by queue, the parking queue included."""

    async def purge_campaign(self, campaign: CampaignId) -> int:
        """Discard what is parked of the campaign."""


_log = get_logger(__name__)


class Erasure:
    def __init__(self, store: Store, stages: Stages, queues: Queues) -> None:
        self._store, self._stages, self._queues = store, stages, queues

    async def request(self, event: ErasureRequested, uow: UnitOfWork) -> None:
        """Note that the campaign is to be erased. Raises TransientError while another erasure of it is under way."""
        if await self._stages.advance(event.campaign, Stage.ERASING, uow=uow, erasure_id=event.erasure_id, before={}):
            return
        if (await self._stages.of(event.campaign, uow=uow)).erasure_id != event.erasure_id:
            raise TransientError("another erasure of this campaign is under way")

    async def carry_out(self, campaign: Campaign) -> None:
        """Erase if that was asked for. Safe to repeat at any point; told exactly once."""
        standing = await self._stages.of(campaign.id)
        if standing.stage is not Stage.ERASING:
            return
        before = standing.before or await self._count(campaign.id)
        await self._stages.remember(campaign.id, before)
        for name in _ERASED:
            await self._store.db[name].delete_many({"campaign": campaign.id})
        await self._queues.purge_campaign(campaign.id)
        stores = await self._measure(campaign.id, before)
        await self._store.transact(lambda uow: self._tell(standing, stores, uow))

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        """What the database holds of the campaign, per collection; messages on their way out included."""
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in _ERASED}
        lines = self._store.db[OUTBOX].find({}, {"body": 1})
        leaving = [line async for line in lines if json.loads(line["body"])["campaign"] == campaign]
        return {**counts, OUTBOX: len(leaving)}

    async def _measure(self, campaign: CampaignId, before: dict[str, int]) -> tuple[StoreErasure, ...]:
        """Counted again after the deletion, in reads of their own; then intake's queues on the broker."""
        after = await self._count(campaign)
        stores = [_judged(name, before[name], after[name]) for name in (*_ERASED, OUTBOX)]
        return (*stores, _judged_queues(await self._waiting()))

    async def _waiting(self) -> int:
        """Queues run empty in a moment when nothing new comes: look again a few times before saying otherwise."""
        for _ in range(_LOOKS):
            if sum((await self._queues.queue_depths()).values()) == 0:
                return 0
            await asyncio.sleep(_BETWEEN_LOOKS_S)
        return sum((await self._queues.queue_depths()).values())

    async def _tell(self, standing: Standing, stores: tuple[StoreErasure, ...], uow: UnitOfWork) -> None:
        if standing.erasure_id is None or not await self._stages.advance(standing.campaign, Stage.ERASED, uow=uow):
            return
        done = ErasureCompleted(
            campaign=standing.campaign, erasure_id=standing.erasure_id, service="intake", stores=stores
        )
        await uow.emit(done)
        _log.info("campaign-erased", campaign=standing.campaign, erasure=standing.erasure_id)


def _judged(store: str, before: int, left: int) -> StoreErasure:
    """What is left is the residue."""
    return StoreErasure(store=store, before=before, after=left, residue=left, result="FAIL" if left else "PASS")


def _judged_queues(waiting: int) -> StoreErasure:
    """Empty queues hold nothing of any campaign; of what waits in them nobody here can say whose it is."""
    if waiting:
        note = "messages wait, of whichever campaign"
        return StoreErasure(store=_QUEUES, before=None, after=waiting, residue=None, result="UNKNOWN", note=note)
    return StoreErasure(store=_QUEUES, before=None, after=0, residue=0, result="PASS", note="empty")
