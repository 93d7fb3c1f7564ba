"""Frozen lists in the database: chunks of about a mebibyte, so that a draw never reads entries one by one (ADR 0019).

A chunk holds ids (16 bytes each) and the numbers of their lists of choices (4 bytes each, little-endian); what the
numbers mean stands in one more document, which is written last. Written anew, the same entries give the same chunks.
"""

from typing import Any, Final

import numpy as np

from services.lottery import ledger
from services.lottery.frozen_list import Choices, FrozenList
from shared.ids import ApplicationId, CampaignId, DrawId, application_id_bytes
from shared.storage import Store

CHUNK_ENTRIES: Final = 50_000

_NUMBERS: Final = np.dtype("<u4")


async def write_list(store: Store, campaign: CampaignId, draw: DrawId) -> FrozenList:
    """Write down the accepted entries, which nobody changes any more. Safe to repeat, also by several at once."""
    numbers: dict[Choices, int] = {}
    ids, lists = bytearray(), bytearray()
    chunk, last = 0, ApplicationId("")
    while documents := await _following(store, campaign, last):
        part_ids = b"".join(application_id_bytes(each["_id"]) for each in documents)
        of = [numbers.setdefault(_choices(each), len(numbers)) for each in documents]
        part_lists = np.array(of, _NUMBERS).tobytes()
        await _put(store, {"_id": f"{draw}:{chunk:06d}", "draw": draw, "ids": part_ids, "lists": part_lists})
        ids, lists = ids + part_ids, lists + part_lists
        chunk, last = chunk + 1, documents[-1]["_id"]
    table = [[list(choice) for choice in choices] for choices in numbers]
    await _put(store, {"_id": f"{draw}:table", "draw": draw, "table": table, "chunks": chunk})
    return FrozenList(bytes(ids), np.frombuffer(bytes(lists), _NUMBERS).astype(np.uint32), tuple(numbers))


async def read_list(store: Store, draw: DrawId) -> FrozenList:
    """KeyError where it has not been written, or not wholly."""
    head = await store.db[ledger.LISTS].find_one({"_id": f"{draw}:table"})
    if head is None:
        raise KeyError(draw)
    chunks = store.db[ledger.LISTS].find({"_id": {"$gte": f"{draw}:0", "$lt": f"{draw}::"}}).sort("_id", 1)
    found = [chunk async for chunk in chunks]
    if len(found) != head["chunks"]:
        raise KeyError(draw)
    lists = np.frombuffer(b"".join(chunk["lists"] for chunk in found), _NUMBERS)
    table = tuple(tuple((name, seats) for name, seats in choices) for choices in head["table"])
    return FrozenList(b"".join(chunk["ids"] for chunk in found), lists.astype(np.uint32), table)


async def _following(store: Store, campaign: CampaignId, last: ApplicationId) -> list[dict[str, Any]]:
    """The accepted entries after `last`, in the order of their ids."""
    wanted = {"campaign": campaign, "state": "accepted", "_id": {"$gt": last}}
    found = store.db[ledger.ENTRIES].find(wanted, {"choices": 1}).sort("_id", 1).limit(CHUNK_ENTRIES)
    documents: list[dict[str, Any]] = await found.to_list(None)
    return documents


def _choices(document: dict[str, Any]) -> Choices:
    return tuple((choice["class_id"], choice["seats"]) for choice in document["choices"])


async def _put(store: Store, document: dict[str, Any]) -> None:
    await store.db[ledger.LISTS].replace_one({"_id": document["_id"]}, document, upsert=True)
