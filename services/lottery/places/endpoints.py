"""Places over HTTP: what people do about their own, with receipt number and code, and what staff do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.lottery.draw.endpoints import Actor
from services.lottery.draw.problems import known_campaign, second_person
from services.lottery.places import views
from services.lottery.places.correct import Correcting, Refused
from services.lottery.places.moves import Answer, NoSuchPlace, Places
from services.lottery.places.ownership import Own, Owners
from services.lottery.places.problems import refusing
from services.lottery.places.repository import By
from services.lottery.promotion.states import PlaceState
from shared.campaign import Campaign
from shared.ids import ApplicationId, ApplicationIdField, CampaignId, ClassIdField, ReceiptField
from shared.receipts import normalise_receipt
from shared.storage import Store
from shared.web.signin import Staff, StaffGuard

APPLICANT = By("applicant")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class OwnBody(_Body):
    """What the notice says, in any spelling."""

    v: Literal[1] = 1
    receipt: Annotated[str, Field(min_length=1, max_length=40)]
    pass_code: Annotated[str, Field(min_length=1, max_length=60)]


class AnswerBody(OwnBody):
    class_id: ClassIdField
    answer: Answer


class StaffAnswerBody(_Body):
    """What somebody said by telephone or at the desk."""

    receipt: Annotated[str, Field(min_length=1, max_length=40)]
    class_id: ClassIdField
    answer: Literal["accept", "decline", "withdraw", "present"]
    actor: Actor


class ChoiceBody(_Body):
    class_id: ClassIdField
    seats: Annotated[int, Field(ge=1, le=20)]


class CorrectionBody(_Body):
    """An application as it should have been taken; `choices` in order of preference."""

    application_id: ApplicationIdField
    receipt: ReceiptField
    choices: Annotated[tuple[ChoiceBody, ...], Field(min_length=1, max_length=20)]
    actor: Actor
    approved_by: Actor


@dataclass(frozen=True)
class PlacesDesk:
    """What the calls need."""

    store: Store
    campaigns: Mapping[CampaignId, Campaign]
    places: Places
    owners: Owners
    correcting: Correcting

    async def own(self, own: Own) -> dict[str, Any]:
        places = await views.own_places(self.store, own.draw, own.application_id)
        return {"v": 1, "receipt": own.receipt, "places": places}

    async def proved(self, campaign: CampaignId, body: OwnBody) -> Own:
        return await refusing(self.owners.prove(campaign, body.receipt, body.pass_code))

    async def of_receipt(self, campaign: CampaignId, receipt: str) -> ApplicationId:
        async def found() -> ApplicationId:
            try:
                number = normalise_receipt(receipt)
            except ValueError:
                raise NoSuchPlace("no such receipt number") from None
            name = await views.application_of(self.store, self.campaigns[campaign], number)
            if name is None:
                raise NoSuchPlace("no place")
            return name

        return await refusing(found())


def own_router(desk: PlacesDesk) -> APIRouter:
    """For everybody who has a notice."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/places", tags=["public"])

    @router.post("/own")
    async def own(campaign: str, body: OwnBody) -> dict[str, Any]:
        name = known_campaign(desk.campaigns, campaign)
        return await desk.own(await desk.proved(name, body))

    @router.post("/own/answer")
    async def answer(campaign: str, body: AnswerBody) -> dict[str, Any]:
        name = known_campaign(desk.campaigns, campaign)
        owner = await desk.proved(name, body)
        await refusing(desk.places.answer(name, owner.application_id, body.class_id, body.answer, APPLICANT))
        return await desk.own(owner)

    return router


def places_router(desk: PlacesDesk, guard: StaffGuard) -> APIRouter:
    """For staff."""
    router, campaigns = APIRouter(prefix="/v1/campaigns/{campaign}/places", tags=["staff"]), desk.campaigns
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(guard)])
    async def places(
        campaign: str, class_id: ClassIdField | None = None, state: PlaceState | None = None
    ) -> dict[str, Any]:
        here = campaigns[known_campaign(campaigns, campaign)]
        wanted = {name: value for name, value in (("class_id", class_id), ("state", state)) if value is not None}
        classes = await views.by_class(desk.store, here)
        return {"classes": classes, "places": await views.listed(desk.store, here, **wanted) if wanted else []}

    @router.get("/history", dependencies=[Depends(guard)])
    async def history(campaign: str) -> dict[str, Any]:
        return {"history": await views.told(desk.store, campaigns[known_campaign(campaigns, campaign)])}

    @router.post("/answers")
    async def answer(campaign: str, body: StaffAnswerBody, staff: Here) -> dict[str, Any]:
        name, by = known_campaign(campaigns, campaign), By(staff.acting_as(body.actor))
        application_id = await desk.of_receipt(name, body.receipt)
        if body.answer == "present":
            await refusing(desk.places.admit(name, application_id, body.class_id, by))
        else:
            await refusing(desk.places.answer(name, application_id, body.class_id, body.answer, by))
        return {"places": await views.listed(desk.store, campaigns[name], application_id=application_id)}

    @router.post("/corrections", status_code=201)
    async def correct(campaign: str, body: CorrectionBody, staff: Here) -> dict[str, Any]:
        name, actor = known_campaign(campaigns, campaign), staff.acting_as(body.actor)
        if body.approved_by == actor:
            raise second_person()
        choices = tuple((each.class_id, each.seats) for each in body.choices)
        refused = Refused(body.application_id, body.receipt, choices)
        given = await refusing(desk.correcting.correct(name, refused, By(actor, body.approved_by)))
        return {"given": given}

    return router
