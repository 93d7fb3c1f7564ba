"""The print queue: gather notices by post into batches, order these from the vault, check the answer's counts."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from services.notifier.post.compose import CardComposer
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice, PrintBatch
from services.notifier.rules.states import PrintBatchState
from services.notifier.wall_clock import wall_now
from shared.campaign import Campaign
from shared.contracts import PRINT_BATCH_LIMIT, PrintCompleted, PrintRequested
from shared.ids import BatchId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class PrintQueue:
    """Order print batches. `gather_s`: longest wait for a full batch (seconds)."""

    def __init__(self, store: Store, composer: CardComposer, *, gather_s: float) -> None:
        self._store, self._composer, self._gather = store, composer, timedelta(seconds=gather_s)

    async def order_due_batches(self, campaign: Campaign) -> None:
        """Order batch after batch until none is due."""
        while await self._order_batch(campaign):
            pass

    async def _order_batch(self, campaign: Campaign) -> bool:
        """Order one batch. Return False if none is full or old enough."""
        notices = await NoticeRepository(self._store.db).list_to_print(campaign.id, PRINT_BATCH_LIMIT)
        if not self._is_due(notices):
            return False
        batch = PrintBatch(
            id=BatchId(f"p-{secrets.token_hex(8)}"),
            campaign=campaign.id,
            notices=tuple(notice.id for notice in notices),
        )
        cards = tuple([await self._composer.compose(notice) for notice in notices])

        async def order(uow: UnitOfWork) -> None:
            await NoticeRepository.within(uow).start_printing(batch.notices, batch.id)
            await PrintBatchRepository.within(uow).insert(batch)
            await uow.emit(PrintRequested(campaign=campaign.id, batch_id=batch.id, items=cards))

        await self._store.transact(order)
        return True

    def _is_due(self, notices: Sequence[Notice]) -> bool:
        if not notices:
            return False
        return len(notices) == PRINT_BATCH_LIMIT or notices[0].next_at <= wall_now() - self._gather

    async def on_completed(self, events: Sequence[PrintCompleted], uow: UnitOfWork) -> None:
        """Record the print room's answers."""
        for event in events:
            await _complete_batch(event, uow)


async def _complete_batch(event: PrintCompleted, uow: UnitOfWork) -> None:
    """Record which cards are in the PDF, or that the counts do not match and a handler must look."""
    batches = PrintBatchRepository.within(uow)
    batch = await batches.find_requested(event.batch_id)
    if batch is None:
        return
    is_match = _matches_order(event, batch)
    to = _state_after(event) if is_match else PrintBatchState.MISMATCH
    await batches.complete(batch.id, to, event.pages, event.sha256)
    if is_match:
        failed = [failure.notice_id for failure in event.failed]
        await NoticeRepository.within(uow).record_made(event.printed, failed)
    else:
        _log.error("print-mismatch", campaign=event.campaign, batch=event.batch_id, pages=event.pages)


def _state_after(event: PrintCompleted) -> PrintBatchState:
    return PrintBatchState.MADE if event.printed else PrintBatchState.EMPTY


def _matches_order(event: PrintCompleted, batch: PrintBatch) -> bool:
    """Return True if each card ordered is either printed, on two pages, or named as failed."""
    answered = [*event.printed, *(failure.notice_id for failure in event.failed)]
    return sorted(answered) == sorted(batch.notices) and event.pages == 2 * len(event.printed)
