"""Erasure at intake: asked for by a message, carried out by the watch, told once (R-C11, R-S7).

Afterwards nothing of the campaign is left here but one line with its id, that says so.
"""

from typing import Final

from services.intake.applications.repository import APPLICATIONS
from services.intake.campaigns.sealing_keys import SEALING_KEYS
from services.intake.campaigns.stages import Stages, Standing
from services.intake.papers.repository import PAPERS
from services.intake.rules.states import Stage
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.erasure import Queues, count_outbox, judged_queues, judged_store
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import OUTBOX, Store, UnitOfWork

_ERASED: Final = (APPLICATIONS, PAPERS, SEALING_KEYS)

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
        return {**counts, OUTBOX: await count_outbox(self._store, campaign)}

    async def _measure(self, campaign: CampaignId, before: dict[str, int]) -> tuple[StoreErasure, ...]:
        """Counted again after the deletion, in reads of their own; then intake's queues on the broker."""
        after = await self._count(campaign)
        stores = [judged_store(name, before[name], after[name]) for name in (*_ERASED, OUTBOX)]
        return (*stores, await judged_queues(self._queues))

    async def _tell(self, standing: Standing, stores: tuple[StoreErasure, ...], uow: UnitOfWork) -> None:
        if standing.erasure_id is None or not await self._stages.advance(standing.campaign, Stage.ERASED, uow=uow):
            return
        done = ErasureCompleted(
            campaign=standing.campaign, erasure_id=standing.erasure_id, service="intake", stores=stores
        )
        await uow.emit(done)
        _log.info("campaign-erased", campaign=standing.campaign, erasure=standing.erasure_id)
