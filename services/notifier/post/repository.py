"""The print batches collection. Every write of a state is conditional on the state table (`rules/states.py`)."""

from typing import Any, Self

from services.notifier.collections import PRINT_BATCHES
from services.notifier.rules import states
from services.notifier.rules.notice import Handling, Posting, PrintBatch
from services.notifier.rules.states import PrintBatchState
from shared.ids import BatchId, CampaignId
from shared.paging import PageRequest
from shared.storage import Database, Session, UnitOfWork


class PrintBatchRepository:
    """Read and write print batches, inside a transaction if a session is given."""

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._batches, self._session = db[PRINT_BATCHES], session

    @classmethod
    def within(cls, uow: UnitOfWork) -> Self:
        """Return a repository whose reads and writes belong to the transaction."""
        return cls(uow.db, uow.session)

    async def insert(self, batch: PrintBatch) -> None:
        """Insert a new batch."""
        await self._batches.insert_one(batch.to_document(), session=self._session)

    async def find_requested(self, batch_id: BatchId) -> PrintBatch | None:
        """Return the batch if it still waits for the print room's answer, else None."""
        selected = {"_id": batch_id, "state": PrintBatchState.REQUESTED}
        document = await self._batches.find_one(selected, session=self._session)
        return None if document is None else PrintBatch.from_document(document)

    async def complete(self, batch_id: BatchId, to: PrintBatchState, pages: int) -> None:
        """Record the print room's answer to a batch that waits for it."""
        selected = {"_id": batch_id, "state": {"$in": states.PRINT_BATCHES.before(to)}}
        values = {"state": to, "pages": pages}
        await self._batches.update_one(selected, {"$set": values}, session=self._session)

    async def load(self, campaign: CampaignId, batch_id: BatchId) -> PrintBatch | None:
        """Return the batch, or None if the campaign has none with this id."""
        document = await self._batches.find_one({"_id": batch_id, "campaign": campaign}, session=self._session)
        return None if document is None else PrintBatch.from_document(document)

    async def record_fetch(self, batch: PrintBatch, fetch: Handling) -> None:
        """Record a fetch of the PDF; the first one moves the batch on."""
        push = {"$push": {"fetches": fetch.model_dump()}}
        await self._batches.update_one({"_id": batch.id}, push, session=self._session)
        await self._transition(batch, PrintBatchState.FETCHED, {})

    async def record_count(self, batch: PrintBatch, count: Handling, *, is_last: bool) -> None:
        """Record a count that is right; the last one that is needed moves the batch on."""
        push = {"$push": {"counts": count.model_dump()}}
        await self._batches.update_one({"_id": batch.id}, push, session=self._session)
        if is_last:
            await self._transition(batch, PrintBatchState.COUNTED, {})

    async def record_posting(self, batch: PrintBatch, posting: Posting) -> None:
        """Record the delivery to the post office."""
        await self._transition(batch, PrintBatchState.POSTED, {"posting": posting.model_dump()})

    async def record_reorder(self, batch: PrintBatch) -> None:
        """Record that the cards of a mismatch are to be ordered again."""
        await self._transition(batch, PrintBatchState.REORDERED, {})

    async def _transition(self, batch: PrintBatch, to: PrintBatchState, values: dict[str, Any]) -> None:
        selected = {"_id": batch.id, "state": {"$in": states.PRINT_BATCHES.before(to)}}
        await self._batches.update_one(selected, {"$set": {"state": to, **values}}, session=self._session)

    async def list_batches(self, campaign: CampaignId, page: PageRequest | None = None) -> list[PrintBatch]:
        """Return the batches of the campaign; `page`: some of them, in the order of their ids."""
        selected = {"campaign": campaign}
        if page is None:
            cursor = self._batches.find(selected, session=self._session)
        else:
            found = self._batches.find(page.query(selected), session=self._session)
            cursor = found.sort("_id", 1).limit(page.fetched)
        return [PrintBatch.from_document(document) async for document in cursor]

    async def count_by_state(self, campaign: CampaignId) -> dict[str, int]:
        """Count the batches of the campaign by state."""
        match: dict[str, Any] = {"$match": {"campaign": campaign}}
        groups = [match, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
        return {str(row["_id"]): int(row["count"]) async for row in self._batches.aggregate(groups)}
