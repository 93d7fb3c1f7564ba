"""HTTP endpoints of further rounds, for staff: what one would draw now, and to open it."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.lottery.draw.endpoints import acting_role
from services.lottery.draw.problems import known_campaign, raising_problems
from services.lottery.draw.repository import DrawRepository
from services.lottery.further.open_round import FurtherRounds
from services.lottery.further.problems import FURTHER_PROBLEMS
from shared.approvals.presented import PresentedApproval
from shared.approvals.reader import ApprovalReader
from shared.json_types import JsonObject
from shared.web.sign_in.staff import Staff, StaffGuard


class FurtherRoundBody(BaseModel):
    """Body of an order to open a further round. `approval`: the executed document of the vault."""

    model_config = ConfigDict(extra="forbid")

    approval: JsonObject


@dataclass(frozen=True)
class FurtherRoundDesk:
    """Services behind the endpoints."""

    rounds: FurtherRounds
    approvals: ApprovalReader

    async def seats(self, campaign: str) -> dict[str, Any]:
        """Return what a further round would draw now. Raises ProblemError (404) for an unknown campaign."""
        name = known_campaign(self.rounds.campaigns, campaign)
        draw = await DrawRepository(self.rounds.store).get(name)
        found = await self.rounds.seats(draw)
        if found is None:
            return {"draw": draw.id, "state": draw.state, "possible": False}
        return {
            "draw": draw.id,
            "state": draw.state,
            "possible": found.obstacle is None,
            "obstacle": found.obstacle,
            "free": dict(found.free),
            "scope": found.scope,
            "approval_params": found.approval_params(),
        }

    async def open(self, campaign: str, body: FurtherRoundBody, staff: Staff) -> dict[str, Any]:
        """Open a further round and return its id."""
        name = known_campaign(self.rounds.campaigns, campaign)
        draw = await DrawRepository(self.rounds.store).get(name)
        approval = PresentedApproval(self.approvals, body.approval, staff.actor)
        opened = await raising_problems(self.rounds.open(draw, acting_role(staff), approval), also=FURTHER_PROBLEMS)
        return {"draw": opened}


def further_router(desk: FurtherRoundDesk, guard: StaffGuard) -> APIRouter:
    """Return the router of the staff addresses of a further round."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/further-round", tags=["staff"])
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(guard)])
    async def seats(campaign: str) -> dict[str, Any]:
        return await desk.seats(campaign)

    @router.post("")
    async def open_round(campaign: str, body: FurtherRoundBody, staff: Here) -> dict[str, Any]:
        return await desk.open(campaign, body, staff)

    return router
