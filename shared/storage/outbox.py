"""The outbox: events that are committed and not yet confirmed by the broker (ADR 0004)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ids import EventId
from shared.service_keys import EventSignature
from shared.storage.collections import OUTBOX
from shared.storage.driver import Database, ObjectId, translate_errors


@dataclass(frozen=True)
class OutboxEntry:
    """An event on its way out: its id, its name, its JSON, and the signature that was made with the row."""

    line: ObjectId
    event_id: EventId
    name: str
    body: bytes
    signature: EventSignature | None = None


class Outbox:
    """Entries are lent to one holder at a time; a lease that runs out lets another instance take over.

    Leases are counted by the database's clock, so instances need not agree on the time.
    """

    def __init__(self, db: Database) -> None:
        self._lines = db[OUTBOX]

    async def claim(self, holder: str, limit: int, lease_s: float) -> list[OutboxEntry]:
        """Lease the oldest free entries to `holder` for `lease_s` seconds, and return them."""
        with translate_errors():
            free = {"$expr": {"$lt": ["$leased_until", "$$NOW"]}}
            oldest = [line["_id"] async for line in self._lines.find(free, {"_id": 1}).sort("_id", 1).limit(limit)]
            if not oldest:
                return []
            until = {"$add": ["$$NOW", int(lease_s * 1000)]}
            lend = [{"$set": {"holder": holder, "leased_until": until}}]
            await self._lines.update_many({"_id": {"$in": oldest}, **free}, lend)
            mine = self._lines.find({"_id": {"$in": oldest}, "holder": holder}).sort("_id", 1)
            return [_entry(line) async for line in mine]

    async def remove(self, entries: Sequence[OutboxEntry]) -> None:
        """Forget what the broker has confirmed."""
        with translate_errors():
            await self._lines.delete_many({"_id": {"$in": _lines(entries)}})

    async def give_back(self, entries: Sequence[OutboxEntry]) -> None:
        """End the leases of entries that could not be published, so that any instance may retry at once."""
        with translate_errors():
            free = [{"$set": {"leased_until": {"$subtract": ["$$NOW", 1]}}}]
            await self._lines.update_many({"_id": {"$in": _lines(entries)}}, free)

    async def backlog(self) -> int:
        """Count the entries that wait for the broker."""
        with translate_errors():
            return await self._lines.count_documents({})


def _lines(entries: Iterable[OutboxEntry]) -> list[ObjectId]:
    return [entry.line for entry in entries]


def _entry(line: dict[str, Any]) -> OutboxEntry:
    signature = None
    if "signature" in line:
        signature = EventSignature(line["publisher"], line["key"], line["signature"])
    return OutboxEntry(line["_id"], EventId(line["event_id"]), line["name"], bytes(line["body"]), signature)
