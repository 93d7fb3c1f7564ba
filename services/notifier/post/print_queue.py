"""The print queue: gather notices by post into batches, order these from the vault, check the answer's counts."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.create_notices import replace_outdated
from services.notifier.documents import card_document
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository, tokens_of
from services.notifier.rules.notice import UNDECIDED, Notice, PrintBatch
from services.notifier.rules.states import NoticeState, PrintBatchState
from services.notifier.wall_clock import wall_now
from shared.campaign import Campaign
from shared.contracts import NOTICE_BATCH_LIMIT, CardFailure, PrintCompleted, PrintRequested
from shared.errors import TransientError
from shared.ids import BatchId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_STATE_AFTER_FAILURE: Final = {
    "not-printable": NoticeState.FAILED,
    "not-released": NoticeState.UNRELEASED,
    "superseded": NoticeState.REPLACED,
    "invalid": NoticeState.INVALID,
}


class PrintQueue:
    """Order print batches. `gather_s`: longest wait for a full batch; `release_wait_s`: wait for a released text."""

    def __init__(self, store: Store, *, gather_s: float, release_wait_s: float) -> None:
        self._store, self._gather = store, timedelta(seconds=gather_s)
        self._release_wait = timedelta(seconds=release_wait_s)

    async def order_due_batches(self, campaign: Campaign) -> None:
        """Order batch after batch until none is due."""
        while await self._order_batch(campaign):
            pass

    async def _order_batch(self, campaign: Campaign) -> bool:
        """Order one batch; one card is enough. Return False if none is full or old enough."""
        notices = await NoticeRepository(self._store.db).list_to_print(campaign.id, wall_now(), NOTICE_BATCH_LIMIT)
        if not self._is_due(notices):
            return False
        batch = PrintBatch(
            id=BatchId(f"p-{secrets.token_hex(8)}"),
            campaign=campaign.id,
            notices=tuple(notice.id for notice in notices),
        )

        async def order(uow: UnitOfWork) -> None:
            if await NoticeRepository.within(uow).start_printing(batch.notices, batch.id) != len(notices):
                raise TransientError("another process ordered some of these cards; the next tick orders the rest")
            slips = await ApplicantRepository.within(uow).load_slips(tokens_of(notices))
            cards = tuple(card_document(notice, slips) for notice in notices)
            await PrintBatchRepository.within(uow).insert(batch)
            await uow.emit(PrintRequested(campaign=campaign.id, batch_id=batch.id, items=cards))

        await self._store.transact(order)
        return True

    def _is_due(self, notices: Sequence[Notice]) -> bool:
        if not notices:
            return False
        return len(notices) == NOTICE_BATCH_LIMIT or notices[0].next_at <= wall_now() - self._gather

    async def on_completed(self, events: Sequence[PrintCompleted], uow: UnitOfWork) -> None:
        """Record the print room's answers."""
        for event in events:
            await self._complete_batch(event, uow)

    async def _complete_batch(self, event: PrintCompleted, uow: UnitOfWork) -> None:
        """Record which cards are in the PDF, or that the counts do not match and a handler must look."""
        batches = PrintBatchRepository.within(uow)
        batch = await batches.find_requested(event.batch_id)
        if batch is None:
            return
        is_match = _matches_order(event, batch)
        to = _state_after(event) if is_match else PrintBatchState.MISMATCH
        await batches.complete(batch.id, to, event.pages)
        if is_match:
            await NoticeRepository.within(uow).record_made(event.printed)
            await self._record_failures(uow, event.failed)
            failed = await NoticeRepository.within(uow).list_by_ids([failure.notice_id for failure in event.failed])
            await replace_outdated(uow, tokens_of(failed))  # a slip may have come while the card was ordered
        else:
            _log.error("print-mismatch", batch=event.batch_id, pages=event.pages, expected=len(batch.notices))

    async def _record_failures(self, uow: UnitOfWork, failures: Sequence[CardFailure]) -> None:
        for reason in sorted({failure.reason for failure in failures}):
            ids = [failure.notice_id for failure in failures if failure.reason == reason]
            to = _STATE_AFTER_FAILURE[reason]
            if to is NoticeState.REPLACED:  # the address is not shared any more, or the doubt was decided meanwhile
                await NoticeRepository.within(uow).record_card_failure(ids, NoticeState.TO_PHONE, wall_now(), UNDECIDED)
            await NoticeRepository.within(uow).record_card_failure(ids, to, self._next_at(to))
            if to is NoticeState.INVALID:
                _log.error("cards-invalid", count=len(ids))

    def _next_at(self, state: NoticeState) -> datetime:
        return wall_now() + (self._release_wait if state is NoticeState.UNRELEASED else timedelta())


def _matches_order(event: PrintCompleted, batch: PrintBatch) -> bool:
    """Return True if printed and failed cards are exactly the order, and each printed card has two pages."""
    answered = [*event.printed, *(failure.notice_id for failure in event.failed)]
    return sorted(answered) == sorted(batch.notices) and event.pages == 2 * len(event.printed)


def _state_after(event: PrintCompleted) -> PrintBatchState:
    return PrintBatchState.MADE if event.printed else PrintBatchState.EMPTY
