"""Store the entries of a campaign, and the roll of all receipts that intake published."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from services.lottery.draw.collections import ENTRIES, ROLL, ROLL_PARTS
from services.lottery.draw.grouping import GroupCount, count_groups
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.entry import Entry
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Store, UnitOfWork, UpdateOne

_BATCH: Final = 50_000
"""Ids that are compared at once."""


class EntryRepository:
    """Reads and writes entries and the roll, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._entries, self._roll, self._roll_parts = at.db[ENTRIES], at.db[ROLL], at.db[ROLL_PARTS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace entries. Of two verdicts on one application the higher revision stays, in any order."""
        ids = [entry.application_id for entry in entries]
        stored = self._entries.find({"_id": {"$in": ids}}, {"revision": 1}, session=self._session)
        revisions = {document["_id"]: document["revision"] async for document in stored}
        newest = {
            entry.application_id: entry
            for entry in sorted(entries, key=lambda entry: entry.revision)
            if entry.revision > revisions.get(entry.application_id, 0)
        }
        if newest:
            await self._entries.bulk_write([_upsert(entry) for entry in newest.values()], session=self._session)

    async def put_roll(self, campaign: CampaignId, part: int, parts: int, ids: Sequence[ApplicationId]) -> None:
        """Store one of `parts` parts of the roll. Safe to repeat."""
        line = {"campaign": campaign, "part": part, "parts": parts}
        key = {"_id": f"{campaign}:{part}"}
        await self._roll_parts.update_one(key, {"$set": line}, upsert=True, session=self._session)
        writes = [UpdateOne({"_id": name}, {"$set": {"campaign": campaign}}, upsert=True) for name in ids]
        if writes:
            await self._roll.bulk_write(writes, session=self._session)

    async def find(self, campaign: CampaignId, application_id: ApplicationId) -> Entry | None:
        """Return the entry of an application, or None before any verdict."""
        document = await self._entries.find_one({"_id": application_id, "campaign": campaign}, session=self._session)
        return None if document is None else Entry.from_document(document)

    async def is_on_roll(self, campaign: CampaignId, application_id: ApplicationId) -> bool:
        """Return True if intake gave a receipt to this application before the window closed."""
        on_roll = {"_id": application_id, "campaign": campaign}
        return await self._roll.find_one(on_roll, session=self._session) is not None

    async def find_by_receipt(self, campaign: CampaignId, receipt: Receipt) -> ApplicationId | None:
        """Return the application with this receipt number, or None if no accepted entry has it."""
        document = await self._entries.find_one(
            {"campaign": campaign, "receipt": receipt, "state": "accepted"}, {"_id": 1}
        )
        return None if document is None else ApplicationId(document["_id"])

    async def accepted(self, campaign: CampaignId, first: ApplicationId, limit: int) -> list[Entry]:
        """Return accepted entries in the order of their ids, from `first` on."""
        wanted = {"campaign": campaign, "state": "accepted", "_id": {"$gte": first}}
        documents = await self._entries.find(wanted).sort("_id", 1).limit(limit).to_list(None)
        return [Entry.from_document(document) for document in documents]

    async def count_by_state(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many entries are in each state."""
        return await self._count({"campaign": campaign}, "$state")

    async def count_by_channel(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many accepted entries arrived by each channel."""
        return await self._count({"campaign": campaign, "state": "accepted"}, "$channel")

    async def count_by_reason(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many applications were rejected for each reason."""
        return await self._count({"campaign": campaign, "state": "rejected"}, "$reasons", {"$unwind": "$reasons"})

    def count_choices(self, campaign: CampaignId) -> AsyncIterator[GroupCount]:
        """Yield the accepted entries' choices, counted by `class_id`, `channel` and `seats`."""
        key = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
        return count_groups(self._entries, {"campaign": campaign, "state": "accepted"}, "choices", key)

    async def readiness(self, campaign: CampaignId) -> Readiness:
        """Return what a freeze still waits for (R-B6, R-B8).

        Entries may change meanwhile: a caller that acts on the answer compares the draw's `changes` before and after.
        """
        parts = await self._roll_parts.find({"campaign": campaign}).to_list(None)
        undecided, closed = await self._count_undecided(campaign), bool(parts) and len(parts) == parts[0]["parts"]
        return Readiness(
            held=await self._entries.count_documents({"campaign": campaign, "state": "held"}),
            undecided=undecided,
            receipts_closed=closed,
            unknown_entries=await self._count_unknown(campaign, undecided) if closed else 0,
        )

    async def _count_unknown(self, campaign: CampaignId, undecided: int) -> int:
        """Count entries, accepted or held, that are not on the roll. They are read only if the totals differ."""
        of_campaign = {"campaign": campaign}
        entries, on_roll = (
            await self._entries.count_documents(of_campaign),
            await self._roll.count_documents(of_campaign),
        )
        if entries == on_roll - undecided:
            return 0
        return sum([await self._count_off_roll(campaign, state) for state in ("accepted", "held")])

    async def _count_off_roll(self, campaign: CampaignId, state: str) -> int:
        off_roll, last = 0, ""
        while ids := await self._ids_after(campaign, state, last):
            between = {"campaign": campaign, "_id": {"$gte": ids[0], "$lte": ids[-1]}}
            known = {line["_id"] for line in await self._roll.find(between, {"_id": 1}).to_list(None)}
            off_roll, last = off_roll + len(set(ids) - known), ids[-1]
        return off_roll

    async def _ids_after(self, campaign: CampaignId, state: str, last: str) -> list[str]:
        following = self._entries.find({"campaign": campaign, "state": state, "_id": {"$gt": last}}, {"_id": 1})
        return [line["_id"] for line in await following.sort("_id", 1).limit(_BATCH).to_list(None)]

    async def _count_undecided(self, campaign: CampaignId) -> int:
        """Count applications on the roll without a verdict, walking both collections in the order of their ids."""
        missing, last = 0, ""
        while ids := await self._roll_after(campaign, last):
            between = {"campaign": campaign, "_id": {"$gte": ids[0], "$lte": ids[-1]}}
            decided = {line["_id"] for line in await self._entries.find(between, {"_id": 1}).to_list(None)}
            missing, last = missing + len(set(ids) - decided), ids[-1]
        return missing

    async def _roll_after(self, campaign: CampaignId, last: str) -> list[str]:
        following = self._roll.find({"campaign": campaign, "_id": {"$gt": last}}, {"_id": 1})
        return [line["_id"] for line in await following.sort("_id", 1).limit(_BATCH).to_list(None)]

    async def _count(self, wanted: Mapping[str, Any], key: str, *stages: Mapping[str, Any]) -> dict[str, int]:
        group = {"$group": {"_id": key, "count": {"$sum": 1}}}
        groups = self._entries.aggregate([{"$match": wanted}, *stages, group])
        return {line["_id"]: line["count"] async for line in groups}


def _upsert(entry: Entry) -> UpdateOne:
    values = {name: value for name, value in entry.to_document().items() if name != "_id"}
    return UpdateOne({"_id": entry.application_id}, {"$set": values}, upsert=True)
