"""Acts of handlers on cards: fetch, count, post, return, order again. Each act is one transaction (ADR 0027)."""

from collections.abc import Awaitable, Callable
from datetime import date

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.create_notices import replace_outdated
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Handling, Posting, PrintBatch
from services.notifier.rules.states import PRINT_BATCHES, NoticeState, PrintBatchState
from services.notifier.wall_clock import wall_now
from shared.contracts import StaffAct
from shared.errors import KujiError
from shared.ids import BatchId, CampaignId, NoticeId, Receipt, Token
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

COUNTS_NEEDED = 2
"""Handlers who must count the cards of a batch, each by himself or herself."""


class BatchMissingError(KujiError):
    """Raised when the campaign has no print batch with this id."""


class WrongStateError(KujiError):
    """Raised when the batch or notice is not in a state that allows the act. The text names the state."""


class CountDiffersError(KujiError):
    """Raised when the number typed is not the number of cards made; nothing was recorded."""


class SamePersonError(KujiError):
    """Raised when the second count is by the handler who made the first."""


class NotPostedError(KujiError):
    """Raised when no card with this receipt number is posted."""


class SeveralPostedError(KujiError):
    """Raised when several cards with this receipt number are posted. `notices` are their ids."""

    def __init__(self, notices: list[NoticeId]) -> None:
        super().__init__(f"{len(notices)} posted cards have this receipt number; name one of the notices")
        self.notices = notices


class CardHandling:
    """Record acts of handlers. `actor` is a staff id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def fetch(self, campaign: CampaignId, batch_id: BatchId, actor: str) -> PrintBatch:
        """Record a fetch of the PDF. A PDF may be fetched again in any later state."""

        async def record(uow: UnitOfWork, batch: PrintBatch) -> None:
            if not batch.cards:
                raise WrongStateError(batch.state)
            await PrintBatchRepository.within(uow).record_fetch(batch, Handling(actor=actor, at=wall_now()))
            await NoticeRepository.within(uow).move_batch(batch.id, NoticeState.FETCHED, NoticeState.MADE)
            await _record_act(uow, StaffAct.FETCH_CARDS, batch, actor)

        return await self._change(campaign, batch_id, record)

    async def count(self, campaign: CampaignId, batch_id: BatchId, pieces: int, actor: str) -> PrintBatch:
        """Record a count of the printed cards. Raises CountDiffersError and SamePersonError."""

        async def record(uow: UnitOfWork, batch: PrintBatch) -> None:
            _require(batch, PrintBatchState.COUNTED)
            if pieces != batch.cards:
                raise CountDiffersError("the number differs from the cards made")
            if actor in {count.actor for count in batch.counts}:
                raise SamePersonError("the second count is by another handler")
            is_last = len(batch.counts) + 1 >= COUNTS_NEEDED
            count = Handling(actor=actor, at=wall_now())
            await PrintBatchRepository.within(uow).record_count(batch, count, is_last=is_last)
            if is_last:
                await NoticeRepository.within(uow).move_batch(batch.id, NoticeState.COUNTED, NoticeState.FETCHED)
            await _record_act(uow, StaffAct.COUNT_CARDS, batch, actor)

        return await self._change(campaign, batch_id, record)

    async def post(
        self, campaign: CampaignId, batch_id: BatchId, posted_on: date, office: str, actor: str
    ) -> PrintBatch:
        """Record the delivery of a counted batch to a post office."""

        async def record(uow: UnitOfWork, batch: PrintBatch) -> None:
            _require(batch, PrintBatchState.POSTED)
            posting = Posting(actor=actor, at=wall_now(), posted_on=posted_on.isoformat(), office=office)
            await PrintBatchRepository.within(uow).record_posting(batch, posting)
            await NoticeRepository.within(uow).move_batch(batch.id, NoticeState.POSTED, NoticeState.COUNTED)
            await _record_act(uow, StaffAct.POST_CARDS, batch, actor)

        return await self._change(campaign, batch_id, record)

    async def reorder(self, campaign: CampaignId, batch_id: BatchId, actor: str) -> PrintBatch:
        """Put the cards of a batch whose counts did not match back, to be ordered again."""

        async def record(uow: UnitOfWork, batch: PrintBatch) -> None:
            _require(batch, PrintBatchState.REORDERED)
            await PrintBatchRepository.within(uow).record_reorder(batch)
            await NoticeRepository.within(uow).move_batch(batch.id, NoticeState.TO_PRINT, NoticeState.REQUESTED)
            await _record_act(uow, StaffAct.REORDER_CARDS, batch, actor)

        return await self._change(campaign, batch_id, record)

    async def record_return(
        self, campaign: CampaignId, receipt: Receipt, reason: str, actor: str, notice: NoticeId | None = None
    ) -> NoticeId:
        """Record that the card with this receipt number came back. Raises NotPostedError, SeveralPostedError."""

        async def record(uow: UnitOfWork) -> NoticeId:
            notices = NoticeRepository.within(uow)
            token = await ApplicantRepository.within(uow).find_token(campaign, receipt)
            posted = [] if token is None else await notices.list_posted(campaign, token)
            chosen = [found.id for found in posted if notice in {None, found.id}]
            if not chosen:
                raise NotPostedError("no posted card has this receipt number")
            if len(chosen) > 1:
                raise SeveralPostedError(chosen)
            await notices.record_return(campaign, chosen[0], reason, actor, wall_now())
            await record_act(uow, "notifier", StaffAct.RECORD_RETURNED_CARD, actor, chosen[0], campaign)
            await replace_outdated(uow, {Token(found.token) for found in posted})  # a slip may have come meanwhile
            return chosen[0]

        return await self._store.transact(record)

    async def _change(
        self, campaign: CampaignId, batch_id: BatchId, record: Callable[[UnitOfWork, PrintBatch], Awaitable[None]]
    ) -> PrintBatch:
        """Load the batch, record the act in the same transaction, and return the batch after it."""

        async def change(uow: UnitOfWork) -> PrintBatch:
            await record(uow, await _load(uow, campaign, batch_id))
            return await _load(uow, campaign, batch_id)

        return await self._store.transact(change)


async def _record_act(uow: UnitOfWork, act: StaffAct, batch: PrintBatch, actor: str) -> None:
    await record_act(uow, "notifier", act, actor, batch.id, batch.campaign)


async def _load(uow: UnitOfWork, campaign: CampaignId, batch_id: BatchId) -> PrintBatch:
    batch = await PrintBatchRepository.within(uow).load(campaign, batch_id)
    if batch is None:
        raise BatchMissingError("the campaign has no such print batch")
    return batch


def _require(batch: PrintBatch, to: PrintBatchState) -> None:
    if not PRINT_BATCHES.allows(batch.state, to):
        raise WrongStateError(batch.state)
