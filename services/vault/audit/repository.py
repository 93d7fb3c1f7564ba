"""Store the lines of the audit log in a database of their own, where the vault may find and insert only.

A line's id is made from epoch and number, so that of two writers that take one number one loses.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from services.vault.audit.lines import AuditLine
from shared.storage import BulkWriteError, Store

COLLECTION: Final = "lines"
DATABASE: Final = "audit"
"""Suffix of the database: `kuji_vault_audit` beside `kuji_vault`. Provisioning makes its collection and role."""

_EPOCH: Final = 10**12
_BATCH: Final = 1000


class AuditRepository:
    """Append lines and read them in order; nothing changes or deletes a line."""

    def __init__(self, store: Store) -> None:
        self._documents = store.beside(DATABASE)[COLLECTION]

    async def append(self, epoch: int, lines: Sequence[AuditLine]) -> int:
        """Insert the lines in order and return how many were inserted: fewer if another writer took a number."""
        documents = [_to_document(epoch, line) for line in lines]
        try:
            await self._documents.insert_many(documents, ordered=True)
        except BulkWriteError as error:
            return int((error.details or {}).get("nInserted", 0))
        return len(lines)

    async def end(self, epoch: int) -> int:
        """Return the number of the last line; 0 if there is none."""
        last = await self._documents.find_one(_numbers(epoch, 0), {"_id": 1}, sort=[("_id", -1)])
        return 0 if last is None else int(last["_id"] - epoch * _EPOCH)

    async def read(self, epoch: int, after: int) -> AsyncIterator[Sequence[AuditLine]]:
        """Yield the lines that follow number `after`, some at a time."""
        while True:
            lines = await self._read(epoch, after, _BATCH)
            if not lines:
                return
            yield lines
            after = lines[-1].seq

    async def lines(self, epoch: int, after: int, limit: int) -> list[str]:
        """Return at most `limit` lines that follow number `after`, as they were written."""
        return [line.text for line in await self._read(epoch, after, limit)]

    async def _read(self, epoch: int, after: int, limit: int) -> list[AuditLine]:
        found = self._documents.find(_numbers(epoch, after), limit=limit, batch_size=limit).sort("_id", 1)
        return [AuditLine(document["_id"] - epoch * _EPOCH, document["line"]) async for document in found]


def _numbers(epoch: int, after: int) -> dict[str, Any]:
    return {"_id": {"$gt": epoch * _EPOCH + after, "$lt": (epoch + 1) * _EPOCH}}


def _to_document(epoch: int, line: AuditLine) -> dict[str, Any]:
    return {"_id": epoch * _EPOCH + line.seq, "line": line.text}
