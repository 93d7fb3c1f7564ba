"""Staff endpoints of cards: batches, their fetch, counts and posting, and cards that came back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.notifier.post import handling
from services.notifier.post.handling import CardHandling
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.rules.notice import PrintBatch
from shared.campaign import Campaign
from shared.clock import Clock
from shared.dates import TOKYO
from shared.ids import BatchIdField, CampaignId, NoticeIdField
from shared.receipts import normalise_receipt
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import ProblemError, problem
from shared.web.paging import Paging
from shared.web.sign_in.staff import Access, Staff

ReturnReason = Literal["unknown-address", "moved", "absent", "refused", "other"]
"""Reason on a returned card: あて所に尋ねあたりません, 転居先不明, 保管期間経過, 受取拒絶, and others."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CountBody(_Body):
    """Count of the printed cards of a batch."""

    pieces: Annotated[int, Field(ge=0, le=100_000)]


class PostingBody(_Body):
    """Delivery of a batch to a post office."""

    posted_on: date
    office: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class ReturnBody(_Body):
    """Card that came back. `notice`: needed only if several cards of the application are posted."""

    receipt: Annotated[str, StringConstraints(max_length=40), AfterValidator(normalise_receipt)]
    reason: ReturnReason
    notice: NoticeIdField | None = None


def cards_router(campaigns: Mapping[CampaignId, Campaign], store: Store, clock: Clock, access: Access) -> APIRouter:
    """Return the routes below `/v1/campaigns/{campaign}` about cards."""
    guard = access.guard(Right.READ_NOTICES, Right.PRINT_CARDS)
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)
    router = APIRouter(prefix="/v1/campaigns/{campaign}", dependencies=[Depends(guard)], tags=["staff"])
    cards, batches = CardHandling(store), PrintBatchRepository(store.db)
    here = find_campaign_in(campaigns)

    @router.get("/print-batches")
    async def list_print_batches(campaign: str, page: Paging) -> dict[str, Any]:
        """Return a page of the print batches with their counts, and who fetched, counted and posted them."""
        found = await batches.list_batches(here(campaign).id, page)
        listed, following = page.cut(found, lambda batch: batch.id)
        return {"batches": [_present(batch) for batch in listed], "next": following}

    @router.post("/print-batches/{batch_id}/fetches")
    async def fetch(campaign: str, batch_id: BatchIdField, staff: Here) -> dict[str, Any]:
        """Record who fetches the PDF; the caller then takes it from the vault."""
        with _problems():
            return _present(await cards.fetch(here(campaign).id, batch_id, staff.actor))

    @router.post("/print-batches/{batch_id}/counts")
    async def count(campaign: str, batch_id: BatchIdField, body: CountBody, staff: Here) -> dict[str, Any]:
        """Record a count; the batch is counted once two handlers typed the number of cards made."""
        with _problems():
            return _present(await cards.count(here(campaign).id, batch_id, body.pieces, staff.actor))

    @router.post("/print-batches/{batch_id}/posting")
    async def post(campaign: str, batch_id: BatchIdField, body: PostingBody, staff: Here) -> dict[str, Any]:
        """Record the post office and the day."""
        if body.posted_on > clock.now().astimezone(TOKYO).date():
            raise _refuse("future-day", 422, "差出日が今日より後です", "差出日を確かめてください。", "Give the day.")
        with _problems():
            return _present(await cards.post(here(campaign).id, batch_id, body.posted_on, body.office, staff.actor))

    @router.post("/print-batches/{batch_id}/reorder")
    async def reorder(campaign: str, batch_id: BatchIdField, staff: Here) -> dict[str, Any]:
        """Order the cards of a mismatch again."""
        with _problems():
            return _present(await cards.reorder(here(campaign).id, batch_id, staff.actor))

    @router.post("/returns")
    async def record_return(campaign: str, body: ReturnBody, staff: Here) -> dict[str, str]:
        """Record a card that came back; its applicant is then on the telephone list."""
        with _problems():
            notice = await cards.record_return(
                here(campaign).id, normalise_receipt(body.receipt), body.reason, staff.actor, body.notice
            )
        return {"id": notice, "state": "returned"}

    return router


def find_campaign_in(campaigns: Mapping[CampaignId, Campaign]) -> Callable[[str], Campaign]:
    """Return a function that finds a campaign by its id, or answers 404."""

    def find(campaign: str) -> Campaign:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return campaigns[CampaignId(campaign)]

    return find


@contextmanager
def _problems() -> Iterator[None]:
    """Answer refused acts as problem documents."""
    try:
        yield
    except handling.BatchMissingError:
        raise _refuse(
            "unknown-batch", 404, "その束はありません", "束の番号を確かめてください。", "There is no such batch."
        ) from None
    except handling.WrongStateError as error:
        raise _refuse(
            "wrong-state", 409, "いまはこの操作ができません", f"束の状態は {error} です。一覧を開き直してください。",
            f"The batch is `{error}`: cards are fetched, counted by two people, then posted.",
        ) from None  # fmt: skip
    except handling.CountDiffersError:
        raise _refuse(
            "count-differs", 409, "枚数が合いません", "数え直してください。足りないときは束を印刷し直してください。",
            "Count again; if cards are missing, fetch and print the batch again.",
        ) from None  # fmt: skip
    except handling.SamePersonError:
        raise _refuse(
            "same-person",
            409,
            "二人目の確認が必要です",
            "ほかの担当者が数えてください。",
            "Another handler must count.",
        ) from None
    except handling.NotPostedError:
        raise _refuse(
            "not-posted", 404, "差し出したはがきがありません", "受付番号を確かめてください。",
            "No posted card has this receipt number; read it again from the card.",
        ) from None  # fmt: skip
    except handling.SeveralPostedError as error:
        raise _refuse(
            "several-posted", 409, "はがきが複数あります", f"通知の番号を選んでください: {', '.join(error.notices)}",
            f"Name one of the notices: {', '.join(error.notices)}",
        ) from None  # fmt: skip


def _refuse(name: str, status: int, title: str, detail: str, en: str) -> ProblemError:
    return problem(name, status, title, detail, en=en)


def _present(batch: PrintBatch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "state": batch.state,
        "ordered": len(batch.notices),
        "cards": batch.cards,
        "pages": batch.pages,
        "fetched_by": [fetch.actor for fetch in batch.fetches],
        "counted_by": [count.actor for count in batch.counts],
        "posting": batch.posting and batch.posting.model_dump(mode="json"),
    }
