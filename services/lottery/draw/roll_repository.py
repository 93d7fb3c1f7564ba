"""Store the roll of receipts that intake published, and compare it with the verdicts of the vault.

The keys of both collections begin with the campaign, so that they are compared in the order of their keys.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.lottery.draw.collections import ENTRIES, ROLL, ROLL_PARTS
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.blockers import Readiness
from services.lottery.draw.rules.entry import receipt_key
from services.lottery.draw.search_repository import SearchRepository
from shared.contracts import ReceiptsClosed
from shared.ids import CampaignId, Receipt
from shared.storage import Store, UnitOfWork, UpdateOne

_BATCH: Final = 50_000
"""Receipts that are compared at once."""


class RollRepository:
    """Reads and writes the roll, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._entries, self._roll, self._parts = at.db[ENTRIES], at.db[ROLL], at.db[ROLL_PARTS]
        self._draws, self._searches = DrawRepository(at), SearchRepository(at)
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, event: ReceiptsClosed) -> None:
        """Store one part of the roll. Safe to repeat. Raises TransientError while a list is being written down."""
        await self._draws.change_roll(event.campaign)
        part = {"campaign": event.campaign, "part": event.part, "parts": event.parts, "total": event.total}
        key = {"_id": f"{event.campaign}:{event.part}"}
        await self._parts.update_one(key, {"$set": part}, upsert=True, session=self._session)
        writes = [
            UpdateOne(
                {"_id": receipt_key(event.campaign, item.receipt)},
                {"$set": {"campaign": event.campaign, "version": item.version, "line": item.line}},
                upsert=True,
            )
            for item in event.items
        ]
        if writes:
            await self._roll.bulk_write(writes, session=self._session)

    async def contains(self, campaign: CampaignId, receipt: Receipt) -> bool:
        """Return True if intake gave this receipt before the window closed."""
        key = {"_id": receipt_key(campaign, receipt)}
        return await self._roll.find_one(key, {"_id": 1}, session=self._session) is not None

    async def lines(self, campaign: CampaignId) -> list[str]:
        """Return all lines of the roll, sorted, without line feeds."""
        found = self._roll.find({"campaign": campaign}, {"_id": 0, "line": 1}).sort("line", 1)
        return [document["line"] for document in await found.to_list(None)]

    async def readiness(self, campaign: CampaignId) -> Readiness:
        """Return what a freeze still waits for (R-B6, R-B8).

        Entries may change meanwhile: a caller that acts on the answer compares the draw's `changes` before and after.
        """
        closed = await self._is_complete(campaign)
        undecided, outdated = await self._count_undecided(campaign)
        readiness = Readiness(
            held=await self._entries.count_documents({"campaign": campaign, "state": "held"}),
            undecided=undecided + outdated,
            receipts_closed=closed,
            unknown_entries=await self._count_unknown(campaign, undecided) if closed else 0,
            outdated=outdated,
        )
        if not readiness.complete:
            return readiness
        return replace(readiness, searched=await self._searches.has_present_list(campaign))

    async def _is_complete(self, campaign: CampaignId) -> bool:
        """Return True if all parts are there, and as many receipts as each part says."""
        parts = await self._parts.find({"campaign": campaign}).to_list(None)
        if not parts or len(parts) != parts[0]["parts"]:
            return False
        return bool(await self._roll.count_documents({"campaign": campaign}) == parts[0]["total"])

    async def _count_unknown(self, campaign: CampaignId, undecided: int) -> int:
        """Count entries, accepted or held, that are not on the roll. They are read only if the totals differ."""
        of_campaign = {"campaign": campaign}
        entries, on_roll = (
            await self._entries.count_documents(of_campaign),
            await self._roll.count_documents(of_campaign),
        )
        if entries == on_roll - undecided:
            return 0
        unknown, last = 0, f"{campaign}/"
        drawn = {"state": {"$in": ["accepted", "held"]}}
        while receipts := await self._versions(self._entries, _after(campaign, last), drawn):
            last = max(receipts)
            known = await self._versions(self._roll, {"$gte": min(receipts), "$lte": last})
            unknown += len(receipts.keys() - known.keys())
        return unknown

    async def _count_undecided(self, campaign: CampaignId) -> tuple[int, int]:
        """Count receipts of the roll without any verdict, and those whose verdict is on another version."""
        missing, outdated, last = 0, 0, f"{campaign}/"
        erased = await self._erased(campaign)
        while receipts := await self._versions(self._roll, _after(campaign, last)):
            last = max(receipts)
            judged = await self._versions(self._entries, {"$gte": min(receipts), "$lte": last}, limit=0)
            judged |= {receipt: receipts[receipt] for receipt in erased & receipts.keys()}
            missing += len(receipts.keys() - judged.keys())
            outdated += sum(judged.get(receipt, version) != version for receipt, version in receipts.items())
        return missing, outdated

    async def _erased(self, campaign: CampaignId) -> set[str]:
        """Return the receipts of erased people: the roll may name a later version, which nobody judges any more."""
        found = self._entries.find({"campaign": campaign, "state": "rejected", "erased": True}, {"_id": 1})
        return {document["_id"] for document in await found.to_list(None)}

    async def _versions(
        self, stored: Any, keys: Mapping[str, str], more: Mapping[str, Any] | None = None, limit: int = _BATCH
    ) -> dict[str, int]:
        """Return the next versions in the order of their keys, by key; `limit` 0: all."""
        found = stored.find({"_id": keys, **(more or {})}, {"version": 1}).sort("_id", 1).limit(limit)
        return {document["_id"]: document["version"] for document in await found.to_list(None)}


def _after(campaign: CampaignId, key: str) -> dict[str, str]:
    """Return the range of the campaign's keys after `key`: the sign after the slash ends it."""
    return {"$gt": key, "$lt": f"{campaign}0"}
