"""The print queue: notices by post are gathered into batches, ordered from the vault, and counted afterwards."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.notifier import ledger
from services.notifier.composing import Composing
from services.notifier.rules.states import NoticeState, before
from shared.campaign import Campaign
from shared.contracts import PRINT_BATCH_LIMIT, PrintCompleted, PrintRequested
from shared.errors import TransientError
from shared.ids import BatchId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class Printing:
    """`gather_s`: how long a batch that is not full waits for more (seconds)."""

    def __init__(self, store: Store, composing: Composing, *, gather_s: float) -> None:
        self._store, self._composing, self._gather = store, composing, timedelta(seconds=gather_s)

    async def order_what_is_due(self, campaign: Campaign) -> None:
        """Batch after batch, until there is nothing to order yet."""
        while await self.order(campaign):
            pass

    async def order(self, campaign: Campaign) -> bool:
        """Order one batch; False where there is nothing to order yet."""
        due = {"campaign": campaign.id, "state": NoticeState.TO_PRINT}
        found = self._store.db[ledger.NOTICES].find(due).sort("next_at", 1).limit(PRINT_BATCH_LIMIT)
        notices = await found.to_list(None)
        full = len(notices) == PRINT_BATCH_LIMIT
        if not notices or not (full or notices[0]["next_at"] <= ledger.wall_now() - self._gather):
            return False
        batch_id = BatchId(f"p-{secrets.token_hex(8)}")
        items = [await self._composing.card(notice) for notice in notices]

        async def work(uow: UnitOfWork) -> bool:
            ids = [notice["_id"] for notice in notices]
            moved = await uow.db[ledger.NOTICES].update_many(
                {"_id": {"$in": ids}, "state": NoticeState.TO_PRINT},
                {"$set": {"state": NoticeState.PRINTING, "print_batch": batch_id}},
                session=uow.session,
            )
            if moved.modified_count != len(ids):
                raise TransientError("another process ordered some of these")
            batch = {"_id": batch_id, "campaign": campaign.id, "state": "requested", "notices": ids}
            await uow.db[ledger.PRINT_BATCHES].insert_one(batch, session=uow.session)
            await uow.emit(PrintRequested(campaign=campaign.id, batch_id=batch_id, items=tuple(items)))
            return True

        return await self._store.transact(work)

    async def on_completed(self, events: Sequence[PrintCompleted], uow: UnitOfWork) -> None:
        for event in events:
            await _complete(event, uow)


async def _complete(event: PrintCompleted, uow: UnitOfWork) -> None:
    """The count must match: every ordered card is either printed, as two pages, or named as failed."""
    batch = await uow.db[ledger.PRINT_BATCHES].find_one({"_id": event.batch_id}, session=uow.session)
    if batch is None or batch["state"] != "requested":
        return
    failed = [failure.notice_id for failure in event.failed]
    whole = sorted([*event.printed, *failed]) == sorted(batch["notices"]) and event.pages == 2 * len(event.printed)
    values = {"state": "printed" if whole else "mismatch", "pages": event.pages, "sha256": event.sha256}
    await uow.db[ledger.PRINT_BATCHES].update_one({"_id": event.batch_id}, {"$set": values}, session=uow.session)
    if not whole:
        _log.error("print-mismatch", campaign=event.campaign, batch=event.batch_id, pages=event.pages)
        return
    for ids, state in ((event.printed, NoticeState.PRINTED), (failed, NoticeState.FAILED)):
        await _settle(uow, ids, state)


async def _settle(uow: UnitOfWork, ids: Sequence[Any], state: NoticeState) -> None:
    if ids:
        await uow.db[ledger.NOTICES].update_many(
            {"_id": {"$in": list(ids)}, "state": {"$in": before(state)}},
            {"$set": {"state": state}},
            session=uow.session,
        )
