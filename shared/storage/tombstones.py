"""Tombstones: one document for each erased campaign. While it exists, the service stores and publishes nothing of it.

A tombstone holds the campaign's id, its date and counts of the events that were dropped since; no personal data. It is
never deleted, so the campaign's id is never used again (docs/protocols.md §5).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from shared.ids import CampaignId
from shared.storage.collections import TOMBSTONES
from shared.storage.driver import Database, Session


@dataclass(frozen=True)
class Tombstone:
    """`at`: when it was set, on the machine's clock. `dropped`: events of the campaign that were dropped since.

    `campaign_sha256`: of the campaign's file, to tell it from a new campaign with the same id.
    """

    campaign: CampaignId
    erasure_id: str
    campaign_sha256: str
    at: datetime
    dropped: int

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the tombstone that the database's document describes."""
        return cls(
            CampaignId(document["_id"]),
            document["erasure_id"],
            document["campaign_sha256"],
            document["at"],
            document["dropped"],
        )


class Tombstones:
    """Set, find and count tombstones of one service's database."""

    def __init__(self, db: Database, *, within_transaction: bool = False) -> None:
        """`within_transaction`: read each tombstone once, since the transaction's snapshot does not change."""
        self._documents = db[TOMBSTONES]
        self._read: dict[str, bool] | None = {} if within_transaction else None

    async def put(self, campaign: CampaignId, erasure_id: str, campaign_sha256: str, session: Session) -> None:
        """Set the tombstone in the caller's transaction; a tombstone that exists stays as it is."""
        fresh = {"erasure_id": erasure_id, "campaign_sha256": campaign_sha256, "at": _now(), "dropped": 0}
        await self._documents.update_one({"_id": campaign}, {"$setOnInsert": fresh}, upsert=True, session=session)
        if self._read is not None:
            self._read[campaign] = True

    async def find(self, campaign: CampaignId, session: Session | None = None) -> Tombstone | None:
        """Return the campaign's tombstone, or None while the campaign is not erased."""
        document = await self._documents.find_one({"_id": campaign}, session=session)
        return None if document is None else Tombstone.from_document(document)

    async def erased_among(self, campaigns: Iterable[str], session: Session | None = None) -> frozenset[str]:
        """Return those of `campaigns` that have a tombstone."""
        asked = set(campaigns)
        read = {} if self._read is None else self._read
        unread = sorted(asked - read.keys())
        if unread:
            documents = self._documents.find({"_id": {"$in": unread}}, {"_id": 1}, session=session)
            erased = {document["_id"] async for document in documents}
            read.update({campaign: campaign in erased for campaign in unread})
        return frozenset(campaign for campaign in asked if read[campaign])

    async def count_dropped(self, campaigns: Iterable[str], session: Session | None = None) -> None:
        """Count one dropped event for each element of `campaigns`."""
        for campaign, dropped in Counter(campaigns).items():
            change = {"$inc": {"dropped": dropped}}
            await self._documents.update_one({"_id": campaign}, change, session=session)


def _now() -> datetime:
    """Return the time to the millisecond, as the database keeps it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
