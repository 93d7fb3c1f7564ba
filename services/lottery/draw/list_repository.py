"""Store frozen lists in chunks of about a mebibyte, so that a draw never reads entries one by one (ADR 0019).

A chunk holds entry ids (16 bytes each) and the numbers of their lists of choices (4 bytes each, little-endian). A table
of its own, in parts, says what the numbers mean, because there may be as many lists of choices as entries. A head,
written last, holds where each chunk begins and the hashes of all leaves. The same entries always give the same bytes.
The roll of receipts is stored beside the list, 32 bytes a line.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from services.lottery.allocation.frozen_list import Choices, FrozenList
from services.lottery.allocation.tickets import BLOCK
from services.lottery.draw.collections import ENTRIES, LISTS
from services.lottery.record.inclusion import Leaf
from services.lottery.record.rows import LEAF_ROWS, leaf_hashes, read_leaf
from shared.ids import CampaignId, DrawId
from shared.merkle import path
from shared.storage import DuplicateKeyError, Store

CHUNK_LEAVES: Final = 50
CHUNK_ENTRIES: Final = CHUNK_LEAVES * LEAF_ROWS
TABLE_LISTS: Final = 5_000
"""Lists of choices in one document: below MongoDB's 16 MiB with twenty long names each."""

ROLL_LINES: Final = 200_000
"""Lines of the roll in one document: 6.4 MB."""

PLACES_TEXT: Final = 4 * 1024 * 1024
"""Characters of the text of places in one document."""

_NUMBERS: Final = np.dtype("<u4")
_HASH: Final = 32


@dataclass(frozen=True)
class _Head:
    """The head of a list: the first id of each chunk, the hash of each leaf, and the table of choices."""

    begins: Sequence[bytes]
    hashes: Sequence[bytes]
    table: tuple[Choices, ...]


class ListRepository:
    """Reads and writes frozen lists, and reads the accepted entries that they are made from."""

    def __init__(self, store: Store) -> None:
        self._lists, self._entries = store.db[LISTS], store.db[ENTRIES]

    async def gather(self, campaign: CampaignId) -> FrozenList:
        """Return the accepted entries as they are now."""
        numbers: dict[Choices, int] = {}
        ids, lists = bytearray(), bytearray()
        async for documents in self._batches(campaign):
            ids += bytes.fromhex("".join(document["entry"] for document in documents))
            batch = [numbers.setdefault(_choices(document), len(numbers)) for document in documents]
            lists += np.array(batch, _NUMBERS).tobytes()
        return FrozenList(bytes(ids), np.frombuffer(bytes(lists), _NUMBERS).astype(np.uint32), tuple(numbers))

    async def write(self, campaign: CampaignId, draw: DrawId) -> FrozenList:
        """Write the accepted entries of a closed list down. Safe to repeat, also by several processes at once."""
        frozen = await self.gather(campaign)
        await self.put(draw, frozen)
        return frozen

    async def put(self, draw: DrawId, frozen: FrozenList) -> None:
        """Store a list: its chunks, its table, and last its head."""
        starts = range(0, len(frozen), CHUNK_ENTRIES)
        for number, start in enumerate(starts):
            await self._put(_chunk_document(draw, frozen, number, start))
        for number, start in enumerate(range(0, len(frozen.table), TABLE_LISTS)):
            part = [[list(choice) for choice in choices] for choices in frozen.table[start : start + TABLE_LISTS]]
            await self._put({"_id": f"{draw}:table:{number:06d}", "draw": draw, "table": part})
        await self._put({
            "_id": f"{draw}:head",
            "draw": draw,
            "table": len(frozen.table),
            "begins": b"".join(frozen.id(start) for start in starts),
            "leaves": b"".join(await asyncio.to_thread(leaf_hashes, frozen)),
        })  # fmt: skip

    async def put_roll(self, draw: DrawId, lines: Sequence[str]) -> None:
        """Store the roll of receipts that the draw's manifest commits to. `lines`: sorted, without line feeds."""
        for number, start in enumerate(range(0, len(lines), ROLL_LINES)):
            chunk = bytes.fromhex("".join(lines[start : start + ROLL_LINES]))
            await self._put({"_id": f"{draw}:roll:{number:06d}", "draw": draw, "lines": chunk})

    async def put_places(self, draw: DrawId, text: str) -> None:
        """Store the text of the places that a further round takes over."""
        for number, start in enumerate(range(0, len(text), PLACES_TEXT)):
            part = {"_id": f"{draw}:places:{number:06d}", "draw": draw, "text": text[start : start + PLACES_TEXT]}
            await self._put(part)

    async def places(self, draw: DrawId) -> str:
        """Return the text of the places that a further round took over; empty for any other draw."""
        parts = self._lists.find({"_id": {"$gte": f"{draw}:places:", "$lt": f"{draw}:places;"}}).sort("_id", 1)
        return "".join([part["text"] async for part in parts])

    async def roll(self, draw: DrawId) -> AsyncIterator[str]:
        """Yield the roll as text, piece by piece."""
        chunks = self._lists.find({"_id": {"$gte": f"{draw}:roll:", "$lt": f"{draw}:roll;"}}).sort("_id", 1)
        async for chunk in chunks:
            yield "".join(f"{line.hex()}\n" for line in _pieces(chunk["lines"], _HASH))

    async def read(self, draw: DrawId) -> FrozenList:
        """Return a list. Raises KeyError when it has not been written completely."""
        head = await self._head(draw)
        chunks = {"_id": {"$gte": f"{draw}:0", "$lt": f"{draw}:{len(head.begins):06d}"}}
        documents = await self._lists.find(chunks).sort("_id", 1).to_list(None)
        if len(documents) != len(head.begins):
            raise KeyError(draw)
        return _list_of(head.table, documents)

    async def rows(self, draw: DrawId) -> AsyncIterator[str]:
        """Yield all rows chunk by chunk, so that slow readers do not keep whole lists in memory. Raises KeyError."""
        head = await self._head(draw)
        for number in range(len(head.begins)):
            frozen = await self._chunk(head, draw, number)
            yield await asyncio.to_thread(frozen.text)

    async def leaves_around(self, draw: DrawId, entry: bytes) -> tuple[list[Leaf], int]:
        """Return the leaf that holds the entry or would hold it, or the two leaves beside it, and the number of leaves.

        Reads only the chunks that it needs. Raises KeyError when the list has not been written, or is empty.
        """
        head = await self._head(draw)
        if not head.begins:
            raise KeyError(draw)
        number = max(0, bisect_right(head.begins, entry) - 1)
        frozen = await self._chunk(head, draw, number)
        local = max(0, bisect_right(range(len(frozen)), entry, key=frozen.id) - 1) // LEAF_ROWS
        index = number * CHUNK_LEAVES + local
        leaves = [_leaf(frozen, local, index, head.hashes)]
        if _last_id(leaves[0]) < entry.hex() and index + 1 < len(head.hashes):
            same = (index + 1) // CHUNK_LEAVES == number
            following = frozen if same else await self._chunk(head, draw, number + 1)
            leaves.append(_leaf(following, (index + 1) % CHUNK_LEAVES, index + 1, head.hashes))
        return leaves, len(head.hashes)

    async def _head(self, draw: DrawId) -> _Head:
        head = await self._lists.find_one({"_id": f"{draw}:head"})
        if head is None:
            raise KeyError(draw)
        parts = self._lists.find({"_id": {"$gte": f"{draw}:table:", "$lt": f"{draw}:table;"}}).sort("_id", 1)
        lists = [choices async for part in parts for choices in part["table"]][: head["table"]]
        if len(lists) != head["table"]:
            raise KeyError(draw)
        table = tuple(tuple((name, seats) for name, seats in choices) for choices in lists)
        return _Head(_pieces(head["begins"], BLOCK), _pieces(head["leaves"], _HASH), table)

    async def _chunk(self, head: _Head, draw: DrawId, number: int) -> FrozenList:
        chunk = await self._lists.find_one({"_id": f"{draw}:{number:06d}"})
        if chunk is None:
            raise KeyError(draw)
        return _list_of(head.table, [chunk])

    async def _batches(self, campaign: CampaignId) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield the accepted entries in the order of their entry ids."""
        last = ""
        while True:
            wanted = {"campaign": campaign, "state": "accepted", "entry": {"$gt": last}}
            batch = self._entries.find(wanted, {"_id": 0, "entry": 1, "choices": 1}).sort("entry", 1)
            documents = await batch.limit(CHUNK_ENTRIES).to_list(None)
            if not documents:
                return
            yield documents
            last = documents[-1]["entry"]

    async def _put(self, document: dict[str, Any]) -> None:
        """Insert a document once. A process that comes later has the same to write, or is too late to change it."""
        with suppress(DuplicateKeyError):
            await self._lists.update_one({"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True)


def _chunk_document(draw: DrawId, frozen: FrozenList, number: int, start: int) -> dict[str, Any]:
    end = start + CHUNK_ENTRIES
    return {
        "_id": f"{draw}:{number:06d}",
        "draw": draw,
        "ids": bytes(frozen.ids[start * BLOCK : end * BLOCK]),
        "lists": frozen.lists[start:end].astype(_NUMBERS).tobytes(),
    }


def _leaf(frozen: FrozenList, local: int, index: int, hashes: Sequence[bytes]) -> Leaf:
    return Leaf(read_leaf(frozen, local).decode("ascii"), index, tuple(path(hashes, index)))


def _last_id(leaf: Leaf) -> str:
    return leaf.rows.splitlines()[-1][: 2 * BLOCK]


def _pieces(joined: bytes, size: int) -> list[bytes]:
    return [joined[at : at + size] for at in range(0, len(joined), size)]


def _list_of(table: tuple[Choices, ...], chunks: Sequence[dict[str, Any]]) -> FrozenList:
    lists = np.frombuffer(b"".join(chunk["lists"] for chunk in chunks), _NUMBERS)
    return FrozenList(b"".join(chunk["ids"] for chunk in chunks), lists.astype(np.uint32), table)


def _choices(document: dict[str, Any]) -> Choices:
    return tuple((choice["class_id"], choice["seats"]) for choice in document["choices"])
