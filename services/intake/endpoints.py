"""The public API of intake, as `docs/protocols.md` §1 has it. Bodies are never logged and never repeated."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from services.intake import problems
from services.intake.applications.rate_limits import Limits
from services.intake.applications.repository import Ledger, Record
from services.intake.applications.submit import Applying, known_campaign
from services.intake.campaigns.public import public_part
from services.intake.campaigns.sealing_keys import Keys
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
from shared.web.staff_token import Guard

_FRESH = {"Cache-Control": "no-store"}
_SOON_STALE = {"Cache-Control": "public, max-age=60"}
_LONG_TRUE = {"Cache-Control": "public, max-age=86400"}


def applications_router(
    campaigns: Mapping[CampaignId, Campaign],
    applying: Applying,
    ledger: Ledger,
    *,
    staff: Guard,
    limits: Limits,
) -> APIRouter:
    """Applying (see `door.py` for who comes in first), and asking how an application stands."""
    router = APIRouter(prefix="/v1", tags=["applications"])
    asked = [Depends(limits.lookups())]

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
        authorization: Annotated[str | None, Header(description="paper only: the staff token")] = None,
        kuji_work: Annotated[str | None, Header(description="a nonce, where proof of work is asked for")] = None,
    ) -> Receipted:
        """Hand in a sealed application. The same request again gets the same answer."""
        if channel != "web":
            staff(authorization)
        return Receipted(receipt=await applying.take(campaign, channel, request, kuji_work))

    @router.get("/applications/{application_id}", responses=refusals(404, 429, 503), dependencies=asked)
    async def status(application_id: str, response: Response) -> ApplicationStatus:
        """How an application stands. Needs nothing but its id, which only the applicant's client knows."""
        response.headers.update(_FRESH)
        try:
            record = await ledger.find(parse_application_id(application_id))
        except ValueError:
            raise problems.unknown_application() from None
        return _status(record, problems.unknown_application())

    @router.get("/campaigns/{campaign}/receipts/{receipt}", responses=refusals(404, 429, 503), dependencies=asked)
    async def by_receipt(campaign: str, receipt: str, response: Response) -> ApplicationStatus:
        """The same by receipt number, in any spelling; one misread symbol is noticed by the check character."""
        response.headers.update(_FRESH)
        known = known_campaign(campaigns, campaign)
        try:
            record = await ledger.find_by_receipt(known.id, receipts.normalise_receipt(receipt))
        except ValueError:
            raise problems.unknown_receipt() from None
        return _status(record, problems.unknown_receipt())

    return router


def _status(record: Record | None, unknown: ProblemError) -> ApplicationStatus:
    if record is None or record.status not in RECEIPTED:
        raise unknown
    return ApplicationStatus.model_validate(
        {"receipt": record.receipt, "status": record.status, "reasons": record.reasons}
    )


def postal_router(codes: PostalCodes, limits: Limits) -> APIRouter:
    """Filling an address in. The seven digits come alone and are joined to nothing."""
    router = APIRouter(prefix="/v1", tags=["postal codes"])

    @router.get("/postal-codes/{code}", responses=refusals(404, 422, 429), dependencies=[Depends(limits.lookups())])
    async def look_up(
        code: Annotated[str, Path(pattern=r"^[0-9]{7}$", description="seven digits", examples=["1600021"])],
        response: Response,
    ) -> PostalCode:
        """The places of a postal code; several where it covers several towns."""
        found = codes.find(code).towns
        if not found:
            raise problems.unknown_postal_code()
        response.headers.update(_LONG_TRUE)
        return PostalCode(postal_code=code, places=tuple(PostalPlace(**asdict(each)) for each in found))

    return router


def campaigns_router(campaigns: Mapping[CampaignId, Campaign], keys: Keys, clock: Clock) -> APIRouter:
    """What a client needs before it can seal."""
    router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
    shown = {each.id: json.dumps(public_part(each), ensure_ascii=False).encode() for each in campaigns.values()}

    @router.get("/{campaign}", response_model=PublicCampaign, responses=refusals(404))
    async def describe(campaign: str) -> Response:
        """The public part of the campaign file."""
        known = known_campaign(campaigns, campaign)
        return Response(shown[known.id], media_type="application/json", headers=_SOON_STALE)

    @router.get("/{campaign}/sealing-key", response_model=KeyDocument, responses=refusals(404, 503))
    async def sealing_key(campaign: str) -> Response:
        """The current sealing key, as the vault signed it."""
        key = await keys.current(known_campaign(campaigns, campaign).id)
        if key is None or key.not_after <= clock.now():
            raise unavailable("The vault has not published a usable sealing key yet. Ask again shortly.")
        return Response(key.document, media_type="application/json", headers=_FRESH)

    return router
