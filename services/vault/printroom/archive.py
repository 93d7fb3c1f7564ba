"""Printed batches at rest: encrypted like identities, under a data key of their own ← the campaign's key.

A document of the database holds 16 MB at most, so the ciphertext lies in chunks beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from shared.contracts import CardFailure
from shared.ids import BatchId, CampaignId, NoticeId
from shared.storage import Collection, Index, Store, UnitOfWork

BATCHES: Final = "print_batches"
CHUNKS: Final = "print_chunks"
CHUNK_BYTES: Final = 12 * 1024 * 1024


@dataclass(frozen=True)
class PrintBatch:
    """What is known of a batch without opening it. `size` and `sha256` (hex) are those of the PDF."""

    batch_id: BatchId
    campaign: CampaignId
    pages: int
    printed: tuple[NoticeId, ...]
    failed: tuple[CardFailure, ...]
    sha256: str
    size: int
    printed_at: datetime


@dataclass(frozen=True)
class StoredBatch:
    """A batch with its ciphertext."""

    batch: PrintBatch
    sealed: Sealed = field(repr=False)


def collections() -> list[Collection]:
    batch = {
        "bsonType": "object",
        "required": ["_id", "campaign", "pages", "printed", "failed", "sha256", "size", "printed_at", "wrapped_key"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "pages": {"bsonType": "int", "minimum": 0},
            "printed": {"bsonType": "array", "items": {"bsonType": "string"}},
            "failed": {"bsonType": "array"},
            "sha256": {"bsonType": "string"},
            "size": {"bsonType": "int", "minimum": 0},
            "printed_at": {"bsonType": "date"},
            "wrapped_key": {"bsonType": "binData"},
        },
        "additionalProperties": False,
    }
    chunk = {
        "bsonType": "object",
        "required": ["_id", "campaign", "batch", "number", "ciphertext"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "batch": {"bsonType": "string"},
            "number": {"bsonType": "int"},
            "ciphertext": {"bsonType": "binData"},
        },
        "additionalProperties": False,
    }
    return [Collection(BATCHES, batch, (Index("campaign"),)), Collection(CHUNKS, chunk, (Index("campaign"),))]


def bound_to(campaign: CampaignId, batch_id: BatchId) -> str:
    return f"kuji/print-batch/1\x00{campaign}\x00{batch_id}"


class PrintArchive:
    """Keeps and finds batches; opening one is up to whoever has the keys and has written down why."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, uow: UnitOfWork, keys: CampaignKeys, batch: PrintBatch, pdf: bytes) -> None:
        sealed = seal(keys.wrapping, pdf, bound_to(batch.campaign, batch.batch_id))
        await uow.db[BATCHES].insert_one(_document(batch, sealed.wrapped_key), session=uow.session)
        await uow.db[CHUNKS].insert_many(_chunks(batch, sealed.ciphertext), session=uow.session)

    async def find(self, uow: UnitOfWork, batch_id: BatchId) -> PrintBatch | None:
        document = await uow.db[BATCHES].find_one({"_id": batch_id}, session=uow.session)
        return _batch(document) if document else None

    async def of(self, campaign: CampaignId) -> list[PrintBatch]:
        """All batches of the campaign, the oldest first."""
        found = self._store.db[BATCHES].find({"campaign": campaign}).sort([("printed_at", 1), ("_id", 1)])
        return [_batch(document) async for document in found]

    async def load(self, campaign: CampaignId, batch_id: BatchId) -> StoredBatch | None:
        """Still encrypted; None where there is no such batch or nothing was printed in it."""
        document = await self._store.db[BATCHES].find_one({"_id": batch_id, "campaign": campaign})
        if document is None or not document["pages"]:
            return None
        chunks = self._store.db[CHUNKS].find({"batch": batch_id, "campaign": campaign}).sort("number", 1)
        ciphertext = b"".join([chunk["ciphertext"] async for chunk in chunks])
        return StoredBatch(_batch(document), Sealed(document["wrapped_key"], ciphertext))


def open_batch(keys: CampaignKeys, stored: StoredBatch) -> bytes:
    """The PDF. Raises NotDecryptableError."""
    return bytes(unseal(keys.wrapping, stored.sealed, bound_to(stored.batch.campaign, stored.batch.batch_id)))


def _document(batch: PrintBatch, wrapped_key: bytes) -> dict[str, Any]:
    return {
        "_id": batch.batch_id,
        "campaign": batch.campaign,
        "pages": batch.pages,
        "printed": list(batch.printed),
        "failed": [failure.model_dump() for failure in batch.failed],
        "sha256": batch.sha256,
        "size": batch.size,
        "printed_at": batch.printed_at,
        "wrapped_key": wrapped_key,
    }


def _chunks(batch: PrintBatch, ciphertext: bytes) -> Sequence[dict[str, Any]]:
    return [
        {
            "_id": f"{batch.batch_id}:{number}",
            "campaign": batch.campaign,
            "batch": batch.batch_id,
            "number": number,
            "ciphertext": ciphertext[start : start + CHUNK_BYTES],
        }
        for number, start in enumerate(range(0, len(ciphertext), CHUNK_BYTES))
    ]


def _batch(document: dict[str, Any]) -> PrintBatch:
    return PrintBatch(
        batch_id=BatchId(document["_id"]),
        campaign=CampaignId(document["campaign"]),
        pages=document["pages"],
        printed=tuple(document["printed"]),
        failed=tuple(CardFailure(**each) for each in document["failed"]),
        sha256=document["sha256"],
        size=document["size"],
        printed_at=document["printed_at"],
    )
