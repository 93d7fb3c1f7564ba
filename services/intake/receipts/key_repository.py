"""Store the receipt key of each campaign: 32 random bytes from which receipt numbers are made.

All processes share one key: the first insert stands, because the campaign is the document's id. Without the key a
receipt number cannot be computed from an application id. It is erased with the campaign.
"""

import secrets
from collections.abc import Iterable
from typing import Final

from services.intake.campaigns.stage_repository import CampaignStageRepository
from shared.campaign import Campaign
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.storage import DuplicateKeyError, Store

RECEIPT_KEYS: Final = "receipt_keys"
_KEY_BYTES: Final = 32


class NoReceiptKeyError(TransientError):
    """Raised when a campaign has no receipt key: it is erased, or the key is not inserted yet."""


class ReceiptKeyRepository:
    """Read and write receipt keys; a key that was read once stays in memory until its campaign is erased."""

    def __init__(self, store: Store, stages: CampaignStageRepository) -> None:
        self._keys, self._stages = store.db[RECEIPT_KEYS], stages
        self._cache: dict[CampaignId, bytes] = {}

    async def ensure(self, campaigns: Iterable[CampaignId]) -> None:
        """Insert a key for each campaign that has none. An erased campaign gets none."""
        for campaign in campaigns:
            if (await self._stages.find(campaign)).is_erased:
                continue
            key = secrets.token_bytes(_KEY_BYTES)
            try:
                await self._keys.insert_one({"_id": campaign, "campaign": campaign, "key": key})
            except DuplicateKeyError:
                continue
            if (await self._stages.find(campaign)).is_erased:
                await self.delete(campaign)  # the erasure began between the two reads

    async def find(self, campaign: CampaignId) -> bytes:
        """Return the key. Raises NoReceiptKeyError where the campaign has none."""
        if campaign not in self._cache:
            document = await self._keys.find_one({"_id": campaign})
            if document is None:
                raise NoReceiptKeyError("this campaign has no receipt key; restart intake, unless it is erased")
            self._cache[campaign] = bytes(document["key"])
        return self._cache[campaign]

    async def forget_if_erased(self, campaign: Campaign) -> None:
        """Forget a key that another process erased. Called every moment while a key is in memory."""
        if campaign.id in self._cache and (await self._stages.find(campaign.id)).is_erased:
            self._cache.pop(campaign.id, None)

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's keys."""
        return int(await self._keys.count_documents({"campaign": campaign}))

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's key, also from memory. Safe to repeat."""
        self._cache.pop(campaign, None)
        await self._keys.delete_many({"campaign": campaign})
