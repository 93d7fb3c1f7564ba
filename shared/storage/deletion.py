"""Delete many documents in steps that each end in time."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from shared.storage.driver import MongoCollection, step_timeout, translate_errors

CHUNK: Final = 20_000
"""Documents of one step: few enough for one command (16 MB of ids) and for a slow disk, many enough for its speed."""

_STEP_S: Final = 60.0
"""Longest time of one step; the client's own timeout is for single documents."""


async def delete_in_chunks(collection: MongoCollection, query: Mapping[str, Any], chunk: int = CHUNK) -> int:
    """Delete the documents that match, by id, and return how many. Safe to repeat after an interruption.

    One delete of 400,000 documents ends in a timeout. The ids are read once, so that documents that do not match are
    not looked through again in every step. Raises StoreUnavailableError.
    """
    deleted = 0
    with translate_errors():
        async for ids in _chunks_of_ids(collection, query, chunk):
            with step_timeout(_STEP_S):
                deleted += (await collection.delete_many({"_id": {"$in": ids}})).deleted_count
    return deleted


async def _chunks_of_ids(
    collection: MongoCollection, query: Mapping[str, Any], chunk: int
) -> AsyncIterator[list[object]]:
    ids: list[object] = []
    cursor = collection.find(query, {"_id": 1}, batch_size=chunk)
    async for document in cursor:
        ids.append(document["_id"])
        if len(ids) == chunk:
            yield ids
            ids = []
    if ids:
        yield ids
