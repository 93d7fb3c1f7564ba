"""HTTP endpoints of places: for applicants with entry id and proof, and for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.lottery.draw.problems import known_campaign
from services.lottery.places import views
from services.lottery.places.corrections import Corrections, RefusedApplication
from services.lottery.places.moves import Answer, NoSuchPlaceError, PlaceMoves
from services.lottery.places.ownership import Ownership, PlaceOwner, WrongProofError
from services.lottery.places.problems import refusing, too_many
from services.lottery.places.stored_place import Actor
from services.lottery.promotion.states import PlaceState
from shared.approvals.presented import PresentedApproval
from shared.approvals.reader import ApprovalReader
from shared.campaign import Campaign
from shared.codes import EntryId, EntryIdField, ProofField
from shared.ids import CampaignId, ClassIdField, ReceiptField
from shared.json_types import JsonObject
from shared.receipts import normalise_receipt
from shared.storage import Store
from shared.web.sign_in.staff import Staff, StaffGuard
from shared.web.wrong_proofs import WrongProofs

APPLICANT = Actor("applicant")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class OwnBody(_Body):
    """Entry id, and the proof of its code for the lottery (`docs/protocols.md` §0)."""

    v: Annotated[int, Field(strict=True, ge=2, le=2)]
    entry: EntryIdField
    proof: ProofField


class AnswerBody(OwnBody):
    class_id: ClassIdField
    answer: Answer


class StaffAnswerBody(_Body):
    """Answer that an applicant gave by telephone or in person."""

    receipt: Annotated[str, Field(min_length=1, max_length=40)]
    class_id: ClassIdField
    answer: Literal["accept", "decline", "withdraw", "present"]


class ChoiceBody(_Body):
    class_id: ClassIdField
    seats: Annotated[int, Field(ge=1, le=20)]


class CorrectionBody(_Body):
    """Wrongly refused application; `choices` in order of preference. `approval`: the vault's executed document."""

    receipt: ReceiptField
    choices: Annotated[tuple[ChoiceBody, ...], Field(min_length=1, max_length=20)]
    approval: JsonObject


@dataclass(frozen=True)
class PlaceServices:
    """Services of the endpoints."""

    store: Store
    campaigns: Mapping[CampaignId, Campaign]
    places: PlaceMoves
    owners: Ownership
    corrections: Corrections
    wrong_proofs: WrongProofs
    approvals: ApprovalReader

    async def own(self, own: PlaceOwner) -> dict[str, Any]:
        """Return what the owner of an entry sees."""
        result = await views.own_result(self.store, own.draw, own.entry)
        return {"v": 2, "entry": own.entry, "receipt": own.receipt, **result}

    async def prove(self, request: Request, campaign: CampaignId, body: OwnBody) -> PlaceOwner:
        """Return the proved owner. Raises 403 for a wrong proof, 429 after too many from the caller's address."""

        async def prove_or_count() -> PlaceOwner:
            try:
                return await self.owners.prove(campaign, body.entry, body.proof)
            except WrongProofError:
                wait_s = self.wrong_proofs.count(request)
                if wait_s is not None:
                    raise too_many(wait_s) from None
                raise

        return await refusing(prove_or_count())

    async def of_receipt(self, campaign: CampaignId, receipt: str) -> EntryId:
        """Return the entry with this receipt number. Raises ProblemError (404)."""

        async def find() -> EntryId:
            try:
                number = normalise_receipt(receipt)
            except ValueError:
                raise NoSuchPlaceError("no such receipt number") from None
            name = await views.entry_of(self.store, self.campaigns[campaign], number)
            if name is None:
                raise NoSuchPlaceError("no place")
            return name

        return await refusing(find())


def own_router(services: PlaceServices) -> APIRouter:
    """Make the endpoints for applicants."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/places", tags=["public"])

    @router.post("/own")
    async def own(campaign: str, body: OwnBody, request: Request) -> dict[str, Any]:
        name = known_campaign(services.campaigns, campaign)
        return await services.own(await services.prove(request, name, body))

    @router.post("/own/answer")
    async def answer(campaign: str, body: AnswerBody, request: Request) -> dict[str, Any]:
        name = known_campaign(services.campaigns, campaign)
        owner = await services.prove(request, name, body)
        await refusing(services.places.answer(name, owner.entry, body.class_id, body.answer, APPLICANT))
        return await services.own(owner)

    return router


def places_router(services: PlaceServices, guard: StaffGuard) -> APIRouter:
    """Make the endpoints for staff."""
    router, campaigns = APIRouter(prefix="/v1/campaigns/{campaign}/places", tags=["staff"]), services.campaigns
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(guard)])
    async def places(
        campaign: str, class_id: ClassIdField | None = None, state: PlaceState | None = None
    ) -> dict[str, Any]:
        here = campaigns[known_campaign(campaigns, campaign)]
        wanted = {name: value for name, value in (("class_id", class_id), ("state", state)) if value is not None}
        classes = await views.count_by_class(services.store, here)
        return {"classes": classes, "places": await views.list_places(services.store, here, **wanted) if wanted else []}

    @router.get("/history", dependencies=[Depends(guard)])
    async def history(campaign: str) -> dict[str, Any]:
        return {"history": await views.list_history(services.store, campaigns[known_campaign(campaigns, campaign)])}

    @router.post("/answers")
    async def answer(campaign: str, body: StaffAnswerBody, staff: Here) -> dict[str, Any]:
        name, by = known_campaign(campaigns, campaign), Actor(staff.actor)
        entry = await services.of_receipt(name, body.receipt)
        if body.answer == "present":
            await refusing(services.places.admit(name, entry, body.class_id, by))
        else:
            await refusing(services.places.answer(name, entry, body.class_id, body.answer, by))
        return {"places": await views.list_places(services.store, campaigns[name], entry=entry)}

    @router.post("/corrections", status_code=201)
    async def correct(campaign: str, body: CorrectionBody, staff: Here) -> dict[str, Any]:
        name = known_campaign(campaigns, campaign)
        choices = tuple((choice.class_id, choice.seats) for choice in body.choices)
        refused = RefusedApplication(body.receipt, choices)
        approval = PresentedApproval(services.approvals, body.approval, staff.actor)
        given = await refusing(services.corrections.correct(name, refused, approval))
        return {"given": given}

    return router
