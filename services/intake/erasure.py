"""Erase a campaign at intake: requested by a message, done by a periodic task, published once (R-C11, R-S7).

Afterwards intake holds one document of the campaign: its id and the stage `erased`.
"""

from collections.abc import Mapping
from typing import Protocol

from services.intake.applications.repository import APPLICATIONS, SubmissionRepository
from services.intake.campaigns.sealing_key_repository import SEALING_KEYS, SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStage, CampaignStageRepository
from services.intake.papers.repository import PAPERS, PaperRepository
from services.intake.rules.states import Stage
from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.erasure import Queues, count_outbox, judged_queues, judged_store
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.storage import OUTBOX, Store, UnitOfWork

_log = get_logger(__name__)


class Erasable(Protocol):
    """Name what an erasure needs of a repository."""

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's documents."""

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's documents."""


class IntakeErasure:
    """Delete what intake holds of a campaign, count what is left and publish the counts."""

    def __init__(
        self,
        store: Store,
        submissions: SubmissionRepository,
        papers: PaperRepository,
        keys: SealingKeyRepository,
        stages: CampaignStageRepository,
        queues: Queues,
    ) -> None:
        self._store, self._stages, self._queues = store, stages, queues
        self._erasable: dict[str, Erasable] = {APPLICATIONS: submissions, PAPERS: papers, SEALING_KEYS: keys}

    async def request(self, event: ErasureRequested, uow: UnitOfWork) -> None:
        """Store that the campaign is to be erased. Raises TransientError while another erasure of it is under way."""
        if await self._stages.advance(event.campaign, Stage.ERASING, uow=uow, erasure_id=event.erasure_id, before={}):
            return
        if (await self._stages.find(event.campaign, uow=uow)).erasure_id != event.erasure_id:
            raise TransientError("another erasure of this campaign is under way")

    async def carry_out(self, campaign: Campaign) -> None:
        """Erase the campaign if that was requested. Safe to repeat at any point; the result is published once."""
        stage = await self._stages.find(campaign.id)
        if stage.stage is not Stage.ERASING:
            return
        before = stage.before or await self._count(campaign.id)
        await self._stages.store_counts(campaign.id, before)
        for repository in self._erasable.values():
            await repository.delete(campaign.id)
        await self._queues.purge_campaign(campaign.id)
        stores = await self._measure(campaign.id, before)
        await self._store.transact(lambda uow: self._publish(stage, stores, uow))

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of the campaign's documents by collection, the outbox included."""
        counts = {name: await repository.count(campaign) for name, repository in self._erasable.items()}
        return {**counts, OUTBOX: await count_outbox(self._store, campaign)}

    async def _measure(self, campaign: CampaignId, before: Mapping[str, int]) -> tuple[StoreErasure, ...]:
        """Count again after the deletion, and look at intake's queues on the broker."""
        after = await self._count(campaign)
        stores = [judged_store(name, before[name], after[name]) for name in (*self._erasable, OUTBOX)]
        return (*stores, await judged_queues(self._queues))

    async def _publish(self, stage: CampaignStage, stores: tuple[StoreErasure, ...], uow: UnitOfWork) -> None:
        if stage.erasure_id is None or not await self._stages.advance(stage.campaign, Stage.ERASED, uow=uow):
            return
        done = ErasureCompleted(campaign=stage.campaign, erasure_id=stage.erasure_id, service="intake", stores=stores)
        await uow.emit(done)
        _log.info("campaign-erased", campaign=stage.campaign, erasure=stage.erasure_id)
