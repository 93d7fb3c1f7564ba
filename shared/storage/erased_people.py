"""Tombstones of single people: while one exists, the service stores and publishes nothing about that person.

A tombstone holds hashes of the ids by which the service knew the person (receipt number, token …), its date, and the
number of events that were dropped since. It outlives the person's data and is never deleted (docs/protocols.md §5).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from shared.storage.collections import PERSON_TOMBSTONES
from shared.storage.driver import Database, Session


class ErasedPeople:
    """Set, find and count the tombstones of people in one service's database."""

    def __init__(self, db: Database, *, within_transaction: bool = False) -> None:
        """`within_transaction`: read a campaign's tombstones once, since the transaction's snapshot does not change."""
        self._documents = db[PERSON_TOMBSTONES]
        self._read: dict[str, dict[str, str]] | None = {} if within_transaction else None

    async def put(
        self, campaign: str, erasure_id: str, names: Iterable[str], session: Session | None = None
    ) -> datetime:
        """Set the tombstone, and return its time; one that exists keeps its time and takes further names."""
        hashes, key = [hash_name(campaign, name) for name in names], {"_id": erasure_id}
        now = datetime.now(UTC)
        fresh = {"campaign": campaign, "at": now.replace(microsecond=now.microsecond // 1000 * 1000), "dropped": 0}
        change = {"$setOnInsert": fresh, "$addToSet": {"names": {"$each": hashes}}}
        await self._documents.update_one(key, change, upsert=True, session=session)
        if self._read is not None and campaign in self._read:
            self._read[campaign].update(dict.fromkeys(hashes, erasure_id))
        stored = await self._documents.find_one(key, {"at": 1}, session=session)
        return stored["at"] if stored else fresh["at"]  # type: ignore[return-value]

    async def find(self, erasure_id: str) -> datetime | None:
        """Return when the tombstone was set; None where there is none."""
        document = await self._documents.find_one({"_id": erasure_id}, {"at": 1})
        return None if document is None else document["at"]

    async def of_campaigns(self, campaigns: Iterable[str], session: Session | None = None) -> dict[str, dict[str, str]]:
        """Return the erased people of each campaign that has any: hash of a name → erasure id."""
        asked = set(campaigns)
        read: dict[str, dict[str, str]] = {} if self._read is None else self._read
        unread = sorted(asked - read.keys())
        if unread:
            found: dict[str, dict[str, str]] = {campaign: {} for campaign in unread}
            query = {"campaign": {"$in": unread}}
            async for document in self._documents.find(query, {"names": 1, "campaign": 1}, session=session):
                found[document["campaign"]].update(dict.fromkeys(document["names"], document["_id"]))
            read.update(found)
        return {campaign: read[campaign] for campaign in asked if read[campaign]}

    async def count_dropped(self, erasure_ids: Iterable[str], session: Session | None = None) -> None:
        """Count one dropped event or item for each element."""
        for erasure_id, dropped in Counter(erasure_ids).items():
            change = {"$inc": {"dropped": dropped}}
            await self._documents.update_one({"_id": erasure_id}, change, session=session)


def hash_name(campaign: str, name: str) -> str:
    """Return SHA-256 (hex) of an id in its campaign, as a tombstone keeps it."""
    return hashlib.sha256(b"\0".join((b"kuji/erased-person/2", campaign.encode(), name.encode()))).hexdigest()
