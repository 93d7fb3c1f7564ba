"""Handle the messages that intake consumes. Each handler runs in a transaction and may run again."""

from collections.abc import Callable, Sequence

from services.intake.applications.repository import SubmissionRepository
from services.intake.campaigns.sealing_key_repository import SealingKey, SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers.settle import PaperSettlement
from shared.contracts import (
    ApplicationsDecided,
    DrawPublished,
    ErasureRequested,
    PaperSettled,
    SealingKeyPublished,
)
from shared.erasure import ErasureParticipant
from shared.errors import NotReadyError
from shared.storage import UnitOfWork


class MessageHandlers:
    """Write the content of messages to the repositories."""

    def __init__(
        self,
        submissions: SubmissionRepository,
        papers: PaperSettlement,
        keys: SealingKeyRepository,
        stages: CampaignStageRepository,
        erasure: ErasureParticipant,
        pinned: Callable[[], Sequence[str]],
    ) -> None:
        """Take the repositories. `pinned` returns the vault's public signing keys, none before they are pinned."""
        self._pinned, self._stages = pinned, stages
        self._submissions, self._papers, self._keys, self._erasure = submissions, papers, keys, erasure

    async def save_sealing_keys(self, events: Sequence[SealingKeyPublished], uow: UnitOfWork) -> None:
        """Save keys that the vault's signing key signed. Raises NotReadyError before that key is pinned."""
        pinned = self._pinned()
        if not pinned:
            raise NotReadyError("the vault's signing key is not pinned; write it into KUJI_SIGNING_KEY_FILE")
        for event in events:
            await self._keys.save(SealingKey.from_event(event, signed_by=pinned), uow)

    async def save_decisions(self, events: Sequence[ApplicationsDecided], uow: UnitOfWork) -> None:
        for event in events:
            await self._submissions.decide(event.campaign, event.items, uow)

    async def settle_papers(self, events: Sequence[PaperSettled], uow: UnitOfWork) -> None:
        for event in events:
            await self._papers.settle(event, uow)

    async def save_draws(self, events: Sequence[DrawPublished], uow: UnitOfWork) -> None:
        for event in events:
            await self._stages.mark_drawn(event.campaign, uow)

    async def request_erasures(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        await self._erasure.on_requested(events, uow)
