"""What staff do with a draw over HTTP: look, freeze, give chance, correct, stamp, try."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.lottery.allocation.dry_run import dry_run
from services.lottery.draw import repository as draws
from services.lottery.draw.clock_check import clock_waits
from services.lottery.draw.freeze import Freezing
from services.lottery.draw.list_store import gather_list
from services.lottery.draw.problems import known, not_published, refusing, second_person
from services.lottery.draw.randomness_entry import Chance, Dice
from services.lottery.draw.readiness import readiness
from services.lottery.draw.redraw import Correction, Redrawing
from services.lottery.draw.rules.blockers import waits
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.transitions import draw_of
from services.lottery.record.manifest import Override
from services.lottery.record.timestamps import BadStamp, Kind, check_stamp
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.storage import Store
from shared.web.signin import Staff, StaffGuard

Actor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Reason = Annotated[str, StringConstraints(min_length=3, max_length=200, strip_whitespace=True)]
Witness = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Evidence = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actor: Actor


class FreezeBody(_Body):
    """`override_reason` freezes an incomplete list; it needs a second person and stands in the public manifest."""

    override_reason: Reason | None = None
    approved_by: Actor | None = None


class DiceBody(_Body):
    """`evidence`: hashes of the photographs or recordings of the dice, which stay with the office."""

    digits: Annotated[str, Field(max_length=400)]
    digits_again: Annotated[str, Field(max_length=400)]
    witnesses: Annotated[list[Witness], Field(max_length=10)]
    evidence: Annotated[list[Evidence], Field(max_length=10)] = []


class BeaconBody(_Body):
    signature: Annotated[str, Field(max_length=200)]


class RedrawBody(_Body):
    """`reopen`: entries were wrong, verdicts may come again; else the same list is frozen anew."""

    reason: Reason
    approved_by: Actor
    reopen: bool = False


class StampBody(_Body):
    """`content`: base64 of the token as the time-stamping authority answered, or of the OpenTimestamps proof."""

    kind: Kind
    content: Annotated[str, Field(max_length=100_000)]


@dataclass(frozen=True)
class DrawDesk:
    """What the staff's calls need."""

    store: Store
    clock: Clock
    campaigns: Mapping[CampaignId, Campaign]
    freezing: Freezing
    chance: Chance
    redrawing: Redrawing

    async def shown(self, campaign: CampaignId) -> dict[str, Any]:
        """The draw's state and what it waits for."""
        draw = await draw_of(self.store, campaign)
        judged = await readiness(self.store, campaign) if draw["state"] == DrawState.OPEN else None
        waiting = [
            *waits(draw, self.campaigns[campaign], judged, self.clock.now()),
            *await clock_waits(self.store, draw),
        ]
        return {
            "state": draw["state"],
            "draw": draw["draw"],
            "number": draw["number"],
            "parts_said": draw.get("parts_said", 0),
            "waiting_for": [each.shown() for each in waiting],
            "relay_troubles": draw.get("relay_troubles", []),
            "given": draw.get("given", []),
            "history": draw.get("history", []),
        }


def staff_router(desk: DrawDesk, guard: StaffGuard) -> APIRouter:
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["staff"])
    router.include_router(_looking(desk, guard))
    router.include_router(_deciding(desk, guard))
    return router


def _looking(desk: DrawDesk, guard: StaffGuard) -> APIRouter:
    router = APIRouter(dependencies=[Depends(guard)])
    store, campaigns = desk.store, desk.campaigns

    @router.get("/summary")
    async def summary(campaign: str) -> dict[str, Any]:
        name = known(campaigns, campaign)
        return {"state": (await draw_of(store, name))["state"], **await _counts(store, name)}

    @router.get("/draw")
    async def draw(campaign: str) -> dict[str, Any]:
        return await desk.shown(known(campaigns, campaign))

    @router.get("/outcomes")
    async def outcomes(campaign: str) -> dict[str, Any]:
        """By application id, without tokens and pass codes."""
        now = await draw_of(store, known(campaigns, campaign))
        found = store.db[draws.OUTCOMES].find({"campaign": campaign, "draw": now["draw"]}, {"outcomes": 1})
        return {"outcomes": {each["_id"]: each["outcomes"] for each in await found.to_list(None)}}

    @router.get("/dry-run")
    async def try_it(campaign: str) -> dict[str, Any]:
        """Counts of a draw with a throw-away key over the entries as they are now; nothing of it is kept."""
        name = known(campaigns, campaign)
        return await asyncio.to_thread(dry_run, await gather_list(store, name), campaigns[name])

    return router


def _deciding(desk: DrawDesk, guard: StaffGuard) -> APIRouter:
    router, campaigns = APIRouter(), desk.campaigns
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.post("/freeze")
    async def freeze(campaign: str, body: FreezeBody, staff: Here) -> dict[str, Any]:
        name = known(campaigns, campaign)
        staff.acting_as(body.actor)
        await refusing(desk.freezing.freeze(name, _override(body)))
        return await desk.shown(name)

    @router.post("/dice")
    async def dice(campaign: str, body: DiceBody, staff: Here) -> dict[str, Any]:
        name = known(campaigns, campaign)
        given = Dice(body.digits, body.digits_again, body.witnesses, body.evidence)
        await refusing(desk.chance.give_dice(name, given, staff.acting_as(body.actor)))
        return await desk.shown(name)

    @router.post("/beacon")
    async def beacon(campaign: str, body: BeaconBody, staff: Here) -> dict[str, Any]:
        name = known(campaigns, campaign)
        await refusing(desk.chance.give_beacon(name, body.signature.strip().lower(), staff.acting_as(body.actor)))
        return await desk.shown(name)

    @router.post("/redraw")
    async def redraw(campaign: str, body: RedrawBody, staff: Here) -> dict[str, Any]:
        name = known(campaigns, campaign)
        actor = staff.acting_as(body.actor)
        await refusing(desk.redrawing.redraw(name, Correction(body.reason, actor, body.approved_by, body.reopen)))
        return await desk.shown(name)

    @router.post("/stamps", status_code=201)
    async def stamp(campaign: str, body: StampBody, staff: Here) -> dict[str, Any]:
        staff.acting_as(body.actor)
        return await _stamp(desk, known(campaigns, campaign), body)

    return router


async def _stamp(desk: DrawDesk, campaign: CampaignId, body: StampBody) -> dict[str, Any]:
    draw = await draw_of(desk.store, campaign)
    if "manifest" not in draw:
        raise not_published()

    async def checked() -> bytes:
        try:
            content = base64.b64decode(body.content, validate=True)
        except binascii.Error:
            raise BadStamp("the content is not base64") from None
        check_stamp(body.kind, content, draw["manifest"])
        return content

    content = await refusing(checked())
    number = await draws.put_stamp(desk.store, draw["draw"], body.kind, content, desk.clock.now())
    return {"draw": draw["draw"], "number": number, "kind": body.kind}


async def _counts(store: Store, campaign: CampaignId) -> dict[str, Any]:
    grouped = store.db[draws.ENTRIES].aggregate(
        [{"$match": {"campaign": campaign}}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
    )
    return {"entries": {row["_id"]: row["count"] async for row in grouped}}


def _override(body: FreezeBody) -> Override | None:
    if body.override_reason is None:
        return None
    if body.approved_by is None or body.approved_by == body.actor:
        raise second_person()
    return Override(0, 0, body.override_reason, body.actor, body.approved_by)
