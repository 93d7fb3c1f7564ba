"""Frozen lists in the database: chunks of about a mebibyte, so that a draw never reads entries one by one (ADR 0019).

A chunk holds ids (16 bytes each) and the numbers of their lists of choices (4 bytes each, little-endian). What the
numbers mean stands in a table of its own, in parts, for people may rank in as many ways as there are people; where each
chunk begins and the hashes of all leaves stand in a head that is written last. Written anew, the same entries give the
same bytes.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from services.lottery.allocation.frozen_list import Choices, FrozenList
from services.lottery.allocation.tickets import BLOCK
from services.lottery.draw import repository as draws
from services.lottery.record.inclusion import Leaf
from services.lottery.record.merkle import path
from services.lottery.record.rows import LEAF_ROWS, leaf_hashes, leaf_of
from shared.ids import ApplicationId, CampaignId, DrawId, application_id_bytes
from shared.storage import DuplicateKeyError, Store

CHUNK_LEAVES: Final = 50
CHUNK_ENTRIES: Final = CHUNK_LEAVES * LEAF_ROWS
TABLE_LISTS: Final = 5_000
"""Lists of choices in one document: below MongoDB's 16 MiB with twenty long names each."""

Table = tuple[Choices, ...]

_NUMBERS: Final = np.dtype("<u4")
_HASH: Final = 32


async def gather_list(store: Store, campaign: CampaignId) -> FrozenList:
    """The accepted entries as they are now."""
    numbers: dict[Choices, int] = {}
    ids, lists = bytearray(), bytearray()
    async for documents in _documents(store, campaign):
        ids += b"".join(application_id_bytes(each["_id"]) for each in documents)
        of = [numbers.setdefault(_choices(each), len(numbers)) for each in documents]
        lists += np.array(of, _NUMBERS).tobytes()
    return FrozenList(bytes(ids), np.frombuffer(bytes(lists), _NUMBERS).astype(np.uint32), tuple(numbers))


async def write_list(store: Store, campaign: CampaignId, draw: DrawId) -> FrozenList:
    """Write down the accepted entries, which nobody changes any more. Safe to repeat, also by several at once."""
    frozen = await gather_list(store, campaign)
    await put_list(store, draw, frozen)
    return frozen


async def put_list(store: Store, draw: DrawId, frozen: FrozenList) -> None:
    """A list in its chunks."""
    starts = range(0, len(frozen), CHUNK_ENTRIES)
    for number, start in enumerate(starts):
        end = start + CHUNK_ENTRIES
        await _put(store, {
            "_id": f"{draw}:{number:06d}",
            "draw": draw,
            "ids": bytes(frozen.ids[start * BLOCK : end * BLOCK]),
            "lists": frozen.lists[start:end].astype(_NUMBERS).tobytes(),
        })  # fmt: skip
    for number, start in enumerate(range(0, len(frozen.table), TABLE_LISTS)):
        part = [[list(choice) for choice in choices] for choices in frozen.table[start : start + TABLE_LISTS]]
        await _put(store, {"_id": f"{draw}:table:{number:06d}", "draw": draw, "table": part})
    await _put(store, {
        "_id": f"{draw}:head",
        "draw": draw,
        "table": len(frozen.table),
        "begins": b"".join(frozen.id(start) for start in starts),
        "leaves": b"".join(await asyncio.to_thread(leaf_hashes, frozen)),
    })  # fmt: skip


async def read_list(store: Store, draw: DrawId) -> FrozenList:
    """KeyError where it has not been written, or not wholly."""
    head, table = await _head(store, draw)
    count = len(head["begins"]) // BLOCK
    chunks = store.db[draws.LISTS].find({"_id": {"$gte": f"{draw}:0", "$lt": f"{draw}:{count:06d}"}}).sort("_id", 1)
    found = [chunk async for chunk in chunks]
    if len(found) != count:
        raise KeyError(draw)
    return _list_of(table, found)


async def read_rows(store: Store, draw: DrawId) -> AsyncIterator[str]:
    """All rows, chunk by chunk: however many read them, and however slowly, none of them keeps the list in memory."""
    head, table = await _head(store, draw)
    for number in range(len(head["begins"]) // BLOCK):
        frozen = await _chunk(store, table, draw, number)
        yield await asyncio.to_thread(frozen.text)


async def read_leaves(store: Store, draw: DrawId, entry: bytes) -> tuple[list[Leaf], int]:
    """The leaf that holds the entry or would hold it, or the two between which it would stand; and how many there are.

    Reads the chunks it needs only. KeyError where the list has not been written, or is empty.
    """
    head, table = await _head(store, draw)
    begins = [head["begins"][at : at + BLOCK] for at in range(0, len(head["begins"]), BLOCK)]
    hashes = [head["leaves"][at : at + _HASH] for at in range(0, len(head["leaves"]), _HASH)]
    if not begins:
        raise KeyError(draw)
    number = max(0, bisect_right(begins, entry) - 1)
    frozen = await _chunk(store, table, draw, number)
    local = max(0, bisect_right(range(len(frozen)), entry, key=frozen.id) - 1) // LEAF_ROWS
    index = number * CHUNK_LEAVES + local
    leaves = [_leaf(frozen, local, index, hashes)]
    last = leaves[0].rows.splitlines()[-1][: 2 * BLOCK]
    if last < entry.hex() and index + 1 < len(hashes):
        same = (index + 1) // CHUNK_LEAVES == number
        following = frozen if same else await _chunk(store, table, draw, number + 1)
        leaves.append(_leaf(following, (index + 1) % CHUNK_LEAVES, index + 1, hashes))
    return leaves, len(hashes)


def _leaf(frozen: FrozenList, local: int, index: int, hashes: Sequence[bytes]) -> Leaf:
    return Leaf(leaf_of(frozen, local).decode("ascii"), index, tuple(path(hashes, index)))


async def _head(store: Store, draw: DrawId) -> tuple[dict[str, Any], Table]:
    """The head, and the table whose length it says."""
    head: dict[str, Any] | None = await store.db[draws.LISTS].find_one({"_id": f"{draw}:head"})
    if head is None:
        raise KeyError(draw)
    parts = store.db[draws.LISTS].find({"_id": {"$gte": f"{draw}:table:", "$lt": f"{draw}:table;"}}).sort("_id", 1)
    lists = [choices async for part in parts for choices in part["table"]][: head["table"]]
    if len(lists) != head["table"]:
        raise KeyError(draw)
    return head, tuple(tuple((name, seats) for name, seats in choices) for choices in lists)


async def _chunk(store: Store, table: Table, draw: DrawId, number: int) -> FrozenList:
    chunk = await store.db[draws.LISTS].find_one({"_id": f"{draw}:{number:06d}"})
    if chunk is None:
        raise KeyError(draw)
    return _list_of(table, [chunk])


def _list_of(table: Table, chunks: Sequence[dict[str, Any]]) -> FrozenList:
    lists = np.frombuffer(b"".join(chunk["lists"] for chunk in chunks), _NUMBERS)
    return FrozenList(b"".join(chunk["ids"] for chunk in chunks), lists.astype(np.uint32), table)


async def _documents(store: Store, campaign: CampaignId) -> AsyncIterator[list[dict[str, Any]]]:
    """The accepted entries in the order of their ids, many at a time."""
    last = ApplicationId("")
    while True:
        wanted = {"campaign": campaign, "state": "accepted", "_id": {"$gt": last}}
        found = store.db[draws.ENTRIES].find(wanted, {"choices": 1}).sort("_id", 1).limit(CHUNK_ENTRIES)
        documents = await found.to_list(None)
        if not documents:
            return
        yield documents
        last = documents[-1]["_id"]


def _choices(document: dict[str, Any]) -> Choices:
    return tuple((choice["class_id"], choice["seats"]) for choice in document["choices"])


async def _put(store: Store, document: dict[str, Any]) -> None:
    """Once and for all: who comes later has the same to write, or has slept until the entries were others."""
    with suppress(DuplicateKeyError):
        await store.db[draws.LISTS].update_one({"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True)
