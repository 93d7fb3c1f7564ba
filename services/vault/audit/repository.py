"""Store the lines of the audit log. The line's number is the document's id, so that of two writers one loses."""

from collections.abc import Sequence
from typing import Any, Final

from services.vault.audit.chain import EMPTY, AuditLine, ChainEnd, digest
from shared.storage import BulkWriteError, Collection, Store

COLLECTION: Final = "audit"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    schema = {
        "bsonType": "object",
        "required": ["_id", "line"],
        "properties": {"_id": {"bsonType": "int"}, "line": {"bsonType": "string"}},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema)]


class AuditRepository:
    """Append lines and read them in order; nothing changes or deletes a line."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def append(self, lines: Sequence[AuditLine]) -> int:
        """Insert the lines in order and return how many were inserted: fewer if another writer took a number."""
        try:
            await self._documents.insert_many([_to_document(line) for line in lines], ordered=True)
        except BulkWriteError as error:
            return int((error.details or {}).get("nInserted", 0))
        return len(lines)

    async def end(self) -> ChainEnd:
        """Return the end of the chain."""
        last = await self._documents.find_one(sort=[("_id", -1)])
        return EMPTY if last is None else ChainEnd(last["_id"], digest(last["line"]))

    async def lines(self, after: int, limit: int) -> list[str]:
        """Return at most `limit` lines that follow number `after`, as they were written."""
        found = self._documents.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [document["line"] async for document in found]


def _to_document(line: AuditLine) -> dict[str, Any]:
    return {"_id": line.seq, "line": line.text}
