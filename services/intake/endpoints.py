"""Serve the public API of intake (`docs/protocols.md` §1). Bodies are neither logged nor returned."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from services.intake import problems
from services.intake.applications.rate_limits import RateLimits
from services.intake.applications.repository import StoredSubmission, SubmissionRepository
from services.intake.applications.submit import SubmissionService, find_campaign
from services.intake.campaigns.public import extract_public
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.rules.states import RECEIPTED
from services.intake.schemas import (
    ApplicationStatus,
    KeyDocument,
    PostalCode,
    PostalPlace,
    PublicCampaign,
    Receipted,
    refusals,
    submission_body,
)
from shared import receipts
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import Channel
from shared.ids import CampaignId, parse_application_id
from shared.postal_codes import PostalCodes
from shared.web import ProblemError, unavailable
from shared.web.sign_in.staff import StaffGuard

_FRESH = {"Cache-Control": "no-store"}
_SOON_STALE = {"Cache-Control": "public, max-age=60"}
_LONG_TRUE = {"Cache-Control": "public, max-age=86400"}


def applications_router(
    campaigns: Mapping[CampaignId, Campaign],
    submitting: SubmissionService,
    submissions: SubmissionRepository,
    *,
    staff: StaffGuard,
    limits: RateLimits,
) -> APIRouter:
    """Return the routes for applications and their status; `fast_path.py` takes plain web applications before them."""
    router = APIRouter(prefix="/v1", tags=["applications"])
    limited = [Depends(limits.lookups())]

    @router.post(
        "/campaigns/{campaign}/applications",
        status_code=202,
        responses=refusals(401, 403, 404, 408, 409, 413, 422, 428, 429, 503),
        openapi_extra=submission_body(),
    )
    async def apply(
        campaign: str,
        request: Request,
        channel: Annotated[Channel, Query(description="`fax` and `post`: paper keyed in by staff")] = "web",
        kuji_work: Annotated[str | None, Header(description="a nonce, where proof of work is asked for")] = None,
    ) -> Receipted:
        """Accept a sealed application. The same request again gets the same answer."""
        if channel != "web":
            await staff(request)
        return Receipted(receipt=await submitting.submit(campaign, channel, request, kuji_work))

    @router.get("/applications/{application_id}", responses=refusals(404, 429, 503), dependencies=limited)
    async def status(application_id: str, response: Response) -> ApplicationStatus:
        """Return the status of an application. Its id suffices: only the applicant's client has it."""
        response.headers.update(_FRESH)
        try:
            submission = await submissions.find(parse_application_id(application_id))
        except ValueError:
            raise problems.unknown_application() from None
        return _describe_status(submission, problems.unknown_application())

    @router.get("/campaigns/{campaign}/receipts/{receipt}", responses=refusals(404, 429, 503), dependencies=limited)
    async def by_receipt(campaign: str, receipt: str, response: Response) -> ApplicationStatus:
        """Return the status by receipt number, in any spelling; the check character reveals one misread symbol."""
        response.headers.update(_FRESH)
        known = find_campaign(campaigns, campaign)
        try:
            submission = await submissions.find_by_receipt(known.id, receipts.normalise_receipt(receipt))
        except ValueError:
            raise problems.unknown_receipt() from None
        return _describe_status(submission, problems.unknown_receipt())

    return router


def _describe_status(submission: StoredSubmission | None, unknown: ProblemError) -> ApplicationStatus:
    if submission is None or submission.status not in RECEIPTED:
        raise unknown
    return ApplicationStatus.model_validate(
        {"receipt": submission.receipt, "status": submission.status, "reasons": submission.reasons}
    )


def postal_router(codes: PostalCodes, limits: RateLimits) -> APIRouter:
    """Return the route that the form uses to fill in an address. It receives seven digits and nothing else."""
    router = APIRouter(prefix="/v1", tags=["postal codes"])

    @router.get("/postal-codes/{code}", responses=refusals(404, 422, 429), dependencies=[Depends(limits.lookups())])
    async def look_up(
        code: Annotated[str, Path(pattern=r"^[0-9]{7}$", description="seven digits", examples=["1600021"])],
        response: Response,
    ) -> PostalCode:
        """Return the towns of a postal code; several where it covers several towns."""
        towns = codes.find(code).towns
        if not towns:
            raise problems.unknown_postal_code()
        response.headers.update(_LONG_TRUE)
        return PostalCode(postal_code=code, places=tuple(PostalPlace(**asdict(town)) for town in towns))

    return router


def campaigns_router(campaigns: Mapping[CampaignId, Campaign], keys: SealingKeyRepository, clock: Clock) -> APIRouter:
    """Return the routes that a client needs before it can seal."""
    router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
    public = {
        campaign.id: json.dumps(extract_public(campaign), ensure_ascii=False).encode()
        for campaign in campaigns.values()
    }

    @router.get("/{campaign}", response_model=PublicCampaign, responses=refusals(404))
    async def describe(campaign: str) -> Response:
        """Return the public part of the campaign file."""
        known = find_campaign(campaigns, campaign)
        return Response(public[known.id], media_type="application/json", headers=_SOON_STALE)

    @router.get("/{campaign}/sealing-key", response_model=KeyDocument, responses=refusals(404, 503))
    async def sealing_key(campaign: str) -> Response:
        """Return the current sealing key, as the vault signed it."""
        key = await keys.find_current(find_campaign(campaigns, campaign).id)
        if key is None or key.not_after <= clock.now():
            raise unavailable("The vault has not published a usable sealing key yet. Ask again shortly.")
        return Response(key.document, media_type="application/json", headers=_FRESH)

    return router
