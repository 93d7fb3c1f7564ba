"""Serve `POST …/papers` to edge tools; it has a token of its own, so that a fax host has no staff rights."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from services.intake import problems as intake_problems
from services.intake.papers import problems
from services.intake.papers.accept import PaperAcceptance
from services.intake.request_body import parse_body, read_body
from services.intake.rules.paper_submission import PAPER_BODY_LIMIT, PaperSubmission, fingerprint
from services.intake.schemas import receipt_answer, refusals
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.receipt_documents import ReceiptDocument
from shared.web.service_token import has_token


def papers_router(
    campaigns: Mapping[CampaignId, Campaign],
    acceptance: PaperAcceptance,
    *,
    token_file: Path | None,
    body_timeout_s: float,
) -> APIRouter:
    """Return the route for sealed faxes and scans."""
    router = APIRouter(prefix="/v1/campaigns", tags=["papers"])

    @router.post(
        "/{campaign}/papers",
        status_code=202,
        response_model=ReceiptDocument,
        responses=refusals(401, 403, 404, 408, 409, 413, 422, 503),
        openapi_extra=_body(),
    )
    async def receive(
        campaign: str,
        request: Request,
        authorization: Annotated[str | None, Header(description="the paper token")] = None,
    ) -> Response:
        """Accept a sealed fax or scan. The same request again gets the same answer."""
        if not has_token(token_file, authorization):
            raise problems.unauthorized()
        known = campaigns.get(CampaignId(campaign))
        if known is None:
            raise intake_problems.unknown_campaign()
        body = await read_body(request, limit=PAPER_BODY_LIMIT, timeout_s=body_timeout_s, refusal=problems.too_large)
        paper, body_hash = await asyncio.to_thread(_parse, known.id, body)
        return receipt_answer(await acceptance.accept(known, paper, body_hash))

    return router


def _parse(campaign: CampaignId, body: bytes) -> tuple[PaperSubmission, str]:
    """Return the paper and its fingerprint. The text may have 11 million characters, so call it in a thread."""
    paper = parse_body(PaperSubmission, body)
    return paper, fingerprint(campaign, paper)


def _body() -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": PaperSubmission.model_json_schema()}},
        }
    }
