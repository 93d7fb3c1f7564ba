"""Store printed batches: encrypted like identities, under a data key of their own ← the campaign's key.

A document of the database holds 16 MB at most, so the ciphertext lies in chunks beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed, seal, unseal
from shared.contracts import CardFailure
from shared.ids import BatchId, CampaignId, NoticeId
from shared.paging import PageRequest
from shared.storage import Collection, Index, Store, UnitOfWork

BATCHES: Final = "print_batches"
CHUNKS: Final = "print_chunks"
CHUNK_BYTES: Final = 12 * 1024 * 1024


@dataclass(frozen=True)
class PrintBatch:
    """A batch without its pages. `size`: of the PDF, in bytes."""

    batch_id: BatchId
    campaign: CampaignId
    pages: int
    printed: tuple[NoticeId, ...]
    failed: tuple[CardFailure, ...]
    size: int
    printed_at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection of batches."""
        return cls(
            batch_id=BatchId(document["_id"]),
            campaign=CampaignId(document["campaign"]),
            pages=document["pages"],
            printed=tuple(document["printed"]),
            failed=tuple(CardFailure(**failure) for failure in document["failed"]),
            size=document["size"],
            printed_at=document["printed_at"],
        )

    def to_document(self) -> dict[str, Any]:
        """Return the document to insert, without the wrapped key."""
        return {
            "_id": self.batch_id,
            "campaign": self.campaign,
            "pages": self.pages,
            "printed": list(self.printed),
            "failed": [failure.model_dump() for failure in self.failed],
            "size": self.size,
            "printed_at": self.printed_at,
        }


@dataclass(frozen=True)
class StoredBatch:
    """A batch with its ciphertext."""

    batch: PrintBatch
    sealed: Sealed = field(repr=False)

    def decrypt(self, keys: CampaignKeys) -> bytes:
        """Return the PDF. Raises NotDecryptableError."""
        return bytes(unseal(keys.wrapping, self.sealed, bound_to(self.batch.campaign, self.batch.batch_id)))


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    batch = {
        "bsonType": "object",
        "required": ["_id", "campaign", "pages", "printed", "failed", "size", "printed_at", "wrapped_key"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "pages": {"bsonType": "int", "minimum": 0},
            "printed": {"bsonType": "array", "items": {"bsonType": "string"}},
            "failed": {"bsonType": "array"},
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
    """Return the associated data of a batch's ciphertext: under another id it does not open."""
    return f"kuji/print-batch/1\x00{campaign}\x00{batch_id}"


class PrintBatchRepository:
    """Insert and read batches. The print room decides who may open one, and records it."""

    def __init__(self, store: Store) -> None:
        self._batches, self._chunks = store.db[BATCHES], store.db[CHUNKS]

    async def insert(self, uow: UnitOfWork, keys: CampaignKeys, batch: PrintBatch, pdf: bytes) -> None:
        """Encrypt the PDF and insert it with its batch."""
        sealed = seal(keys.wrapping, pdf, bound_to(batch.campaign, batch.batch_id))
        document = batch.to_document() | {"wrapped_key": sealed.wrapped_key}
        await self._batches.insert_one(document, session=uow.session)
        await self._chunks.insert_many(_chunks(batch, sealed.ciphertext), session=uow.session)

    async def find(self, uow: UnitOfWork, batch_id: BatchId) -> PrintBatch | None:
        """Return a batch; None if it was not printed yet."""
        document = await self._batches.find_one({"_id": batch_id}, session=uow.session)
        return PrintBatch.from_document(document) if document else None

    async def batches(self, campaign: CampaignId, page: PageRequest) -> list[PrintBatch]:
        """Return a page of the batches of the campaign, in the order of their ids."""
        found = self._batches.find(page.query({"campaign": campaign})).sort("_id", 1).limit(page.fetched)
        return [PrintBatch.from_document(document) async for document in found]

    async def load(self, campaign: CampaignId, batch_id: BatchId) -> StoredBatch | None:
        """Return a batch with its ciphertext; None if there is no such batch or no card of it was printed."""
        document = await self._batches.find_one({"_id": batch_id, "campaign": campaign})
        if document is None or not document["pages"]:
            return None
        chunks = self._chunks.find({"batch": batch_id, "campaign": campaign}).sort("number", 1)
        ciphertext = b"".join([chunk["ciphertext"] async for chunk in chunks])
        return StoredBatch(PrintBatch.from_document(document), Sealed(document["wrapped_key"], ciphertext))


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
