"""Serve what staff do with a draw over HTTP: look at it, freeze it, enter randomness, correct, stamp, try."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.lottery.allocation.dry_run import dry_run
from services.lottery.draw.approval_params import approval_params
from services.lottery.draw.clock_check import clock_waits
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.freeze import FreezeService, IncompleteFreeze
from services.lottery.draw.key_check import key_waits
from services.lottery.draw.later_round import LaterRoundService
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.notice_progress import NoticeProgressRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.problems import known_campaign, not_published, raising_problems
from services.lottery.draw.randomness_entry import RandomnessService
from services.lottery.draw.redraw import Correction, RedrawService
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import waits
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.draw.stamps import Stamps
from services.lottery.keys import LotteryKeys
from services.lottery.record.timestamps import InvalidTimestampError, Kind, check_timestamp
from shared.approvals.presented import PresentedApproval
from shared.approvals.reader import ApprovalReader
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.staff_roles import RIGHTS, Right, Role
from shared.storage import Store
from shared.web.paging import Paging
from shared.web.sign_in.staff import Staff, StaffGuard

Reason = Annotated[str, StringConstraints(min_length=3, max_length=200, strip_whitespace=True)]
Evidence = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Body(BaseModel):
    """Body of a request by staff."""

    model_config = ConfigDict(extra="forbid")


class FreezeBody(_Body):
    """Body of a freeze.

    `override_reason` freezes an incomplete list and stands in the public manifest; it needs `approval`, the executed
    document of the vault.
    """

    override_reason: Reason | None = None
    approval: JsonObject = {}


class EvidenceBody(_Body):
    """Body with hashes of photographs or recordings of the dice, which stay with the office."""

    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=10)]


class BeaconBody(_Body):
    """Body with the beacon's value, in hex."""

    signature: Annotated[str, Field(max_length=200)]


class RedrawBody(_Body):
    """Body of a correction. `reopen`: entries were wrong and may change; else the same list is frozen again.

    `approval`: the executed document of the vault.
    """

    reason: Reason
    reopen: bool = False
    approval: JsonObject


class LaterRoundBody(_Body):
    """Body of a draw's end for a later round. `approval`: the executed document of the vault."""

    approval: JsonObject


class StampBody(_Body):
    """Body with a time stamp. `content`: base64 of the authority's token, or of the OpenTimestamps proof."""

    kind: Kind
    content: Annotated[str, Field(max_length=100_000)]


@dataclass(frozen=True)
class DrawServices:
    """Services behind the staff endpoints."""

    store: Store
    clock: Clock
    keys: LotteryKeys
    campaigns: Mapping[CampaignId, Campaign]
    freezing: FreezeService
    randomness: RandomnessService
    redrawing: RedrawService
    later_rounds: LaterRoundService
    approvals: ApprovalReader

    async def draw(self, campaign: str) -> Draw:
        """Return the present draw. Raises ProblemError (404) for an unknown campaign."""
        return await DrawRepository(self.store).get(known_campaign(self.campaigns, campaign))

    async def status(self, campaign: CampaignId) -> dict[str, Any]:
        """Return the present draw's state, what it waits for, and how many applicants are still to be told."""
        draw = await DrawRepository(self.store).get(campaign)
        readiness = await RollRepository(self.store).readiness(campaign) if draw.state is DrawState.OPEN else None
        waiting = waits(draw, self.campaigns[campaign], readiness, self.clock.now())
        waiting += [*await clock_waits(self.store, draw), *key_waits(self.keys, draw)]
        notices = await NoticeProgressRepository(self.store).find(campaign)
        return {
            "state": draw.state,
            "draw": draw.id,
            "number": draw.number,
            "parts_published": draw.parts_published,
            "waiting_for": [wait.to_json() for wait in waiting],
            "relay_troubles": [asdict(trouble) for trouble in draw.relay_troubles],
            "given": [source.to_document() for source in draw.given],
            "round_at": draw.manifest.beacon.at.isoformat() if draw.has_manifest else None,
            "history": list(draw.history),
            "notices": notices and notices.to_json(),
            "approval_params": approval_params(draw, self.campaigns[campaign], readiness),
        }


def staff_router(services: DrawServices, guard: StaffGuard) -> APIRouter:
    """Return the router of the staff addresses below a campaign."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", tags=["staff"])
    router.include_router(_reading_router(services, guard))
    router.include_router(_deciding_router(services, guard))
    return router


def _reading_router(services: DrawServices, guard: StaffGuard) -> APIRouter:
    router = APIRouter(dependencies=[Depends(guard)])
    store, campaigns = services.store, services.campaigns

    @router.get("/summary")
    async def summary(campaign: str) -> dict[str, Any]:
        draw = await services.draw(campaign)
        return {"state": draw.state, "entries": await EntryRepository(store).count_by_state(draw.campaign)}

    @router.get("/draw")
    async def draw(campaign: str) -> dict[str, Any]:
        return await services.status(known_campaign(campaigns, campaign))

    @router.get("/outcomes")
    async def outcomes(campaign: str, page: Paging) -> dict[str, Any]:
        """Return a page of the outcomes by receipt number, without tokens."""
        draw = await services.draw(campaign)
        found, following = await OutcomeRepository(store).page_of_draw(draw.campaign, draw.base, page)
        return {"outcomes": found, "next": following}

    @router.get("/dry-run")
    async def try_draw(campaign: str) -> dict[str, Any]:
        """Return counts of a draw with a throw-away key over the present entries; nothing of it is stored."""
        name = known_campaign(campaigns, campaign)
        return await asyncio.to_thread(dry_run, await ListRepository(store).gather(name), campaigns[name])

    return router


def _deciding_router(services: DrawServices, guard: StaffGuard) -> APIRouter:
    router = APIRouter()
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.post("/freeze")
    async def freeze(campaign: str, body: FreezeBody, staff: Here) -> dict[str, Any]:
        draw = await services.draw(campaign)
        await raising_problems(services.freezing.freeze(draw, _incomplete(services, body, staff), staff.actor))
        return await services.status(draw.campaign)

    @router.post("/evidence")
    async def evidence(campaign: str, body: EvidenceBody, staff: Here) -> dict[str, Any]:
        draw = await services.draw(campaign)
        await raising_problems(services.randomness.attach_evidence(draw, body.evidence, staff.actor))
        return await services.status(draw.campaign)

    @router.post("/beacon")
    async def beacon(campaign: str, body: BeaconBody, staff: Here) -> dict[str, Any]:
        draw, actor = await services.draw(campaign), staff.actor
        signature = body.signature.strip().lower()
        await raising_problems(services.randomness.enter_beacon(draw, signature, actor))
        return await services.status(draw.campaign)

    @router.post("/redraw")
    async def redraw(campaign: str, body: RedrawBody, staff: Here) -> dict[str, Any]:
        draw = await services.draw(campaign)
        correction = Correction(body.reason, acting_role(staff), body.reopen)
        approval = PresentedApproval(services.approvals, body.approval, staff.actor)
        await raising_problems(services.redrawing.redraw(draw, correction, approval))
        return await services.status(draw.campaign)

    @router.post("/later-round")
    async def later_round(campaign: str, body: LaterRoundBody, staff: Here) -> dict[str, Any]:
        draw = await services.draw(campaign)
        approval = PresentedApproval(services.approvals, body.approval, staff.actor)
        await raising_problems(services.later_rounds.begin(draw, acting_role(staff), approval))
        return await services.status(draw.campaign)

    @router.post("/stamps", status_code=201)
    async def stamp(campaign: str, body: StampBody, staff: Here) -> dict[str, Any]:
        return await _add_stamp(services, await services.draw(campaign), body, staff.actor)

    return router


async def _add_stamp(services: DrawServices, draw: Draw, body: StampBody, actor: str) -> dict[str, Any]:
    if not draw.has_manifest:
        raise not_published()

    async def checked_content() -> bytes:
        try:
            content = base64.b64decode(body.content, validate=True)
        except binascii.Error:
            raise InvalidTimestampError("the content is not base64") from None
        check_timestamp(body.kind, content, draw.manifest.line)
        return content

    content = await raising_problems(checked_content())
    number = await Stamps(services.store, services.clock).attach(draw, body.kind, content, actor)
    return {"draw": draw.id, "number": number, "kind": body.kind}


def _incomplete(services: DrawServices, body: FreezeBody, staff: Staff) -> IncompleteFreeze | None:
    if body.override_reason is None:
        return None
    approval = PresentedApproval(services.approvals, body.approval, staff.actor)
    return IncompleteFreeze(body.override_reason, acting_role(staff), approval)


def acting_role(staff: Staff) -> Role:
    """Return the role in which the person acts, for the manifest."""
    return next(role for role in Role if role in RIGHTS[Right.RUN_DRAWS] & staff.roles)
