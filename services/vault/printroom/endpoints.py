"""Answer staff about printed batches over HTTP."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.keys.keystore import CampaignKeyGoneError, KeyDestroyedError
from services.vault.printroom.open_batches import PrintedBatches
from services.vault.printroom.repository import PrintBatch
from shared.approvals import ApprovalId, ApprovalRefusedError
from shared.approvals.document import APPROVAL_ID
from shared.campaign import Campaign
from shared.ids import BatchIdField, CampaignId
from shared.staff_roles import Right
from shared.web import ProblemError, problem
from shared.web.approval_problem import approval_problem
from shared.web.paging import Paging
from shared.web.sign_in.staff import Access, Staff


class OpeningBody(BaseModel):
    """Opening of a batch: the approval of a second handler."""

    model_config = ConfigDict(extra="forbid")
    approval: Annotated[str, StringConstraints(pattern=APPROVAL_ID)]


def print_router(campaigns: Mapping[CampaignId, Campaign], batches: PrintedBatches, access: Access) -> APIRouter:
    """Route GET …/print-batches and POST …/print-batches/{id}/pdf, which needs an approval."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/print-batches", tags=["staff"])
    Printer = Annotated[Staff, Depends(access.guard(Right.PRINT_CARDS))]  # noqa: N806  (a type)

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("", dependencies=[Depends(access.guard(Right.READ_NOTICES))])
    async def listed(campaign: Annotated[CampaignId, Depends(known)], page: Paging) -> dict[str, Any]:
        rows, following = page.cut(await batches.of(campaign, page), lambda batch: batch.batch_id)
        return {"batches": [_batch(batch) for batch in rows], "next": following}

    @router.post("/{batch_id}/pdf")
    async def pdf(
        campaign: Annotated[CampaignId, Depends(known)], batch_id: BatchIdField, body: OpeningBody, staff: Printer
    ) -> Response:
        try:
            pages = await batches.pdf(campaign, batch_id, ApprovalId(body.approval), staff.actor)
        except CampaignKeyGoneError:
            raise
        except KeyDestroyedError:
            raise _no_batch() from None
        except ApprovalRefusedError as refused:
            raise approval_problem(refused) from None
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
