"""Store the entries of a campaign: the vault's newest verdict on each receipt."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from services.lottery.draw.collections import ENTRIES
from services.lottery.draw.grouping import GroupCount, count_groups
from services.lottery.draw.rules.entry import Entry, ListedEntry, receipt_key
from shared.codes import EntryId, ProofDigest
from shared.errors import PermanentError
from shared.ids import CampaignId, Receipt
from shared.storage import BulkWriteError, Store, UnitOfWork, UpdateOne

_DUPLICATE_KEY: Final = 11000


class EntryTakenError(PermanentError):
    """Raised when a verdict names an entry id that another receipt has: the message is parked and changes nothing."""


class EntryRepository:
    """Reads and writes entries, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._entries = at.db[ENTRIES]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, entries: Sequence[Entry]) -> None:
        """Insert or replace entries. Of two verdicts on one receipt the higher revision stays, in any order.

        Raises EntryTakenError.
        """
        ids = [entry.id for entry in entries]
        stored = self._entries.find({"_id": {"$in": ids}}, {"revision": 1}, session=self._session)
        revisions = {document["_id"]: document["revision"] async for document in stored}
        newest = {
            entry.id: entry
            for entry in sorted(entries, key=lambda entry: entry.revision)
            if entry.revision > revisions.get(entry.id, 0)
        }
        if newest:
            try:
                await self._entries.bulk_write([_upsert(entry) for entry in newest.values()], session=self._session)
            except BulkWriteError as error:
                if _is_taken(error):
                    raise EntryTakenError("an entry id belongs to another receipt") from None
                raise

    async def find(self, campaign: CampaignId, receipt: Receipt) -> Entry | None:
        """Return the verdict on a receipt, or None before any."""
        document = await self._entries.find_one({"_id": receipt_key(campaign, receipt)}, session=self._session)
        return None if document is None else Entry.from_document(document)

    async def find_by_id(self, campaign: CampaignId, entry: EntryId) -> Entry | None:
        """Return the verdict on the application with this entry id, or None."""
        document = await self._entries.find_one({"entry": entry, "campaign": campaign}, session=self._session)
        return None if document is None else Entry.from_document(document)

    async def proof_digests(self, campaign: CampaignId, entries: Sequence[EntryId]) -> dict[EntryId, ProofDigest]:
        """Return the digests of the proofs of these entries."""
        wanted = {"entry": {"$in": list(entries)}, "campaign": campaign}
        found = self._entries.find(wanted, {"entry": 1, "proof_sha256": 1}, session=self._session)
        return {document["entry"]: document["proof_sha256"] async for document in found}

    async def accepted(self, campaign: CampaignId, first: EntryId, limit: int) -> list[Entry]:
        """Return accepted entries in the order of their entry ids, from `first` on."""
        wanted = {"campaign": campaign, "state": "accepted", "entry": {"$gte": first}}
        documents = await self._entries.find(wanted).sort("entry", 1).limit(limit).to_list(None)
        return [Entry.from_document(document) for document in documents]

    async def listed(self, campaign: CampaignId, first: EntryId, limit: int) -> list[ListedEntry]:
        """Return what results need of accepted entries, in the order of their entry ids, from `first` on."""
        wanted = {"campaign": campaign, "state": "accepted", "entry": {"$gte": first}}
        members = {"_id": 0, "entry": 1, "receipt": 1, "token": 1, "refused": 1}
        found = self._entries.find(wanted, members).sort("entry", 1).limit(limit)
        return [_listed(document) for document in await found.to_list(None)]

    async def of_ids(self, campaign: CampaignId, entries: Sequence[EntryId]) -> list[Entry]:
        """Return the accepted entries with these entry ids, by id."""
        wanted = {"entry": {"$in": list(entries)}, "campaign": campaign, "state": "accepted"}
        documents = await self._entries.find(wanted, session=self._session).sort("entry", 1).to_list(None)
        return [Entry.from_document(document) for document in documents]

    async def count_by_state(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many entries are in each state."""
        return await self._count({"campaign": campaign}, "$state")

    async def count_by_channel(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many accepted entries arrived by each channel."""
        return await self._count({"campaign": campaign, "state": "accepted"}, "$channel")

    async def count_by_reason(self, campaign: CampaignId) -> dict[str, int]:
        """Return how many receipts are not in the draw for each reason, or by verdict where it needs no reason."""
        reasons = {"$cond": [{"$eq": ["$reasons", []]}, ["$verdict"], "$reasons"]}
        stages = ({"$project": {"reasons": reasons}}, {"$unwind": "$reasons"})
        return await self._count({"campaign": campaign, "state": "rejected"}, "$reasons", *stages)

    def count_choices(self, campaign: CampaignId) -> AsyncIterator[GroupCount]:
        """Yield the accepted entries' choices, counted by `class_id`, `channel` and `seats`."""
        key = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
        return count_groups(self._entries, {"campaign": campaign, "state": "accepted"}, "choices", key)

    async def _count(self, wanted: Mapping[str, Any], key: str, *stages: Mapping[str, Any]) -> dict[str, int]:
        group = {"$group": {"_id": key, "count": {"$sum": 1}}}
        groups = self._entries.aggregate([{"$match": wanted}, *stages, group])
        return {line["_id"]: line["count"] async for line in groups}


def _listed(document: Mapping[str, Any]) -> ListedEntry:
    refused = [(refusal["class_id"], refusal["reason"]) for refusal in document["refused"]]
    return ListedEntry(document["entry"], document["receipt"], document["token"], refused)


def _is_taken(error: BulkWriteError) -> bool:
    """Return True where the index that gives each entry id to one receipt refused a write."""
    mistakes = (error.details or {}).get("writeErrors", [])
    return any(each["code"] == _DUPLICATE_KEY and "entry" in each.get("keyPattern", {}) for each in mistakes)


def _upsert(entry: Entry) -> UpdateOne:
    values = {name: value for name, value in entry.to_document().items() if name != "_id"}
    return UpdateOne({"_id": entry.id}, {"$set": values}, upsert=True)
