"""Answer staff about printed batches over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from services.vault.keys.keystore import KeyDestroyedError
from services.vault.printroom.repository import PrintBatch
from services.vault.printroom.room import PrintRoom
from shared.campaign import Campaign
from shared.ids import BatchIdField, CampaignId
from shared.staff_roles import Right
from shared.web import ProblemError, problem
from shared.web.sign_in.staff import Access, Staff


def print_router(campaigns: Mapping[CampaignId, Campaign], room: PrintRoom, access: Access) -> APIRouter:
    """Route GET …/print-batches and GET …/print-batches/{id}/pdf; each opening of a PDF is in the audit log."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/print-batches", tags=["staff"])
    Printer = Annotated[Staff, Depends(access.guard(Right.PRINT_CARDS))]  # noqa: N806  (a type)

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("", dependencies=[Depends(access.guard(Right.READ_NOTICES))])
    async def batches(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return {"batches": [_batch(batch) for batch in await room.batches(campaign)]}

    @router.get("/{batch_id}/pdf")
    async def pdf(campaign: Annotated[CampaignId, Depends(known)], batch_id: BatchIdField, staff: Printer) -> Response:
        try:
            pages = await room.pdf(campaign, batch_id, actor=staff.actor)
        except KeyDestroyedError:
            raise _no_batch() from None
        if pages is None:
            raise _no_batch()
        return Response(pages, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    return router


def _no_batch() -> ProblemError:
    return problem(
        "unknown-batch",
        404,
        "印刷できる葉書がありません",
        "一覧を開き直し、束の番号を確かめてください。",
        en="There is no such batch, nothing in it could be printed, or it was erased; reload the list.",
    )


def _batch(batch: PrintBatch) -> dict[str, Any]:
    return {
        "id": batch.batch_id,
        "pages": batch.pages,
        "printed": len(batch.printed),
        "failed": [failure.model_dump() for failure in batch.failed],
        "size": batch.size,
        "printed_at": batch.printed_at.isoformat(),
    }
