"""Count members of lists inside many documents, in batches that each end before the database's time limit."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.storage import MongoCollection

BATCH_SIZE: Final = 200_000
"""Documents that one aggregation reads."""


@dataclass(frozen=True)
class GroupCount:
    """Number of members that have this key, and the sum of their seats."""

    key: Mapping[str, Any]
    entries: int
    seats: int


async def count_groups(
    documents: MongoCollection, wanted: Mapping[str, Any], members: str, key: Mapping[str, str]
) -> AsyncIterator[GroupCount]:
    """Yield counts of the list `members` of the wanted documents by `key`; each key may come once per batch."""
    last = ""
    while True:
        batch = await documents.aggregate(_pipeline(wanted, members, key, last)).to_list(None)
        if not batch:
            return
        for group in batch:
            if "class_id" in group["_id"]:  # else these documents have an empty list
                yield GroupCount(group["_id"], group["count"], group["seats"])
        last = max(group["last"] for group in batch)


def _pipeline(wanted: Mapping[str, Any], members: str, key: Mapping[str, str], after: str) -> list[Mapping[str, Any]]:
    group = {
        "_id": key,
        "count": {"$sum": 1},
        "seats": {"$sum": f"${members}.seats"},
        "last": {"$max": "$_id"},
    }
    return [
        {"$match": {**wanted, "_id": {"$gt": after}}},
        {"$sort": {"_id": 1}},
        {"$limit": BATCH_SIZE},
        {"$unwind": {"path": f"${members}", "preserveNullAndEmptyArrays": True}},
        {"$group": group},
    ]
