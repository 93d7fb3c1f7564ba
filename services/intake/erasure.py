"""Stores of intake that an erasure empties: applications, versions, papers, keys and rate-limit records (R-C11, R-S7).

Afterwards intake holds the campaign's stage (with the number of its corrections) and its tombstone only.
"""

from typing import Final, Protocol

from services.intake.applications.rate_limits import RateLimits
from services.intake.applications.repository import APPLICATIONS, SubmissionRepository
from services.intake.applications.version_repository import VERSIONS, VersionRepository
from services.intake.campaigns.sealing_key_repository import SEALING_KEYS, SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.papers.repository import PAPERS, PaperRepository
from services.intake.receipts.key_repository import RECEIPT_KEYS, ReceiptKeyRepository
from services.intake.rules.states import Stage
from shared.contracts.closing import RATE_LIMITS
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork
from shared.web.wrong_proofs import WrongProofs

ERASED_COLLECTIONS: Final = (APPLICATIONS, VERSIONS, PAPERS, SEALING_KEYS, RECEIPT_KEYS)


class Erasable(Protocol):
    """Name what an erasure needs of a repository."""

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's documents."""

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's documents."""


class IntakeStores:
    """Count and delete what intake holds of a campaign."""

    def __init__(
        self,
        store: Store,
        submissions: SubmissionRepository,
        versions: VersionRepository,
        papers: PaperRepository,
        keys: SealingKeyRepository,
        receipt_keys: ReceiptKeyRepository,
        stages: CampaignStageRepository,
        limits: tuple[RateLimits, WrongProofs],
    ) -> None:
        self._store, self._stages, self._limits = store, stages, limits
        self._erasable: dict[str, Erasable] = {
            APPLICATIONS: submissions,
            VERSIONS: versions,
            PAPERS: papers,
            SEALING_KEYS: keys,
            RECEIPT_KEYS: receipt_keys,
        }

    async def close(self, campaign: CampaignId, _: str, uow: UnitOfWork) -> bool:
        """Give no receipt any more, from this transaction on."""
        await self._stages.advance(campaign, Stage.ERASING, uow=uow)
        return True

    async def count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of documents by collection, and of rate-limit records from before the tombstone."""
        tombstone = await self._store.tombstones.find(campaign)
        counts = {name: await repository.count(campaign) for name, repository in self._erasable.items()}
        counted = sum(limit.records_before(tombstone.at) for limit in self._limits) if tombstone else 0
        return {**counts, RATE_LIMITS: counted}

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the documents, and forget the addresses that were counted. Safe to repeat."""
        for repository in self._erasable.values():
            await repository.delete(campaign)
        for limit in self._limits:
            limit.forget()
        await self._stages.advance(campaign, Stage.ERASED)
