"""Stores of the notifier that an erasure empties: contacts, slips, notices, print batches, announcements (R-C11)."""

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import PERSONAL
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork, delete_in_chunks


class NotifierStores:
    """Count and delete what the notifier holds of a campaign."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def close(self, campaign: CampaignId, _: str, uow: UnitOfWork) -> bool:
        """Write the lock document that each handler's transaction writes, so that none overlaps the tombstone's."""
        await ApplicantRepository.within(uow).serialise(campaign)
        return True

    async def count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of documents in each collection."""
        return {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in PERSONAL}

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the documents. Safe to repeat."""
        for name in PERSONAL:
            await delete_in_chunks(self._store.db[name], {"campaign": campaign})
