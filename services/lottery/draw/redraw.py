"""Correct a mistake by a new draw, with a reason and an approval.

The draw that is given up stays public as it was: its manifest, its rows and its transcript, if it has one. The new draw
has the next number, a manifest that names the draw before, and randomness of its own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.lottery.draw.approval_params import params_of_redraw
from services.lottery.draw.freeze import closing_of
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import REPLACEABLE, DrawState, WrongStateError
from services.lottery.record.manifest import Previous, draw_id
from shared.approvals import ApprovalKind
from shared.approvals.presented import PresentedApproval, UsedApproval
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.ids import CampaignId, DrawId
from shared.logging import get_logger
from shared.staff_acts import record_act
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


@dataclass(frozen=True)
class Correction:
    """Correction of a draw. `reason` is public; `role`: of the person who acts, for the manifest.

    `reopen`: entries were wrong, so verdicts may change before the freeze.
    """

    reason: str
    role: Role
    reopen: bool


class RedrawService:
    """Gives draws up and begins the next ones."""

    def __init__(self, store: Store, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._clock, self._campaigns = store, clock, campaigns

    async def redraw(self, draw: Draw, correction: Correction, approval: PresentedApproval) -> DrawId:
        """Give the draw up, begin the next one and return its id. Raises ApprovalRefusedError, WrongStateError."""
        if draw.state not in REPLACEABLE:
            raise WrongStateError(draw.state)

        async def replace_draw(uow: UnitOfWork) -> DrawId:
            present = await DrawRepository(uow).get(draw.campaign)
            if (present.id, present.state) != (draw.id, draw.state):
                raise WrongStateError(present.state)
            params = params_of_redraw(present, reopen=correction.reopen)
            used = await approval.use(uow, ApprovalKind.REDRAW, draw.campaign, params)
            following = self._following(draw, correction, used)
            await DrawRepository(uow).replace_draw(draw, following)
            await record_act(uow, "lottery", StaffAct.REDRAW, used.actor, draw.id, draw.campaign)
            return following.id

        name = await self._store.transact(replace_draw)
        _log.info("draw-given-up", campaign=draw.campaign, draw=draw.id, state=draw.state)
        return name

    def _following(self, draw: Draw, correction: Correction, used: UsedApproval) -> Draw:
        number = draw.number + 1
        previous = Previous(
            draw.id,
            hashlib.sha256(draw.manifest.line.encode()).hexdigest(),
            correction.reason,
            correction.role,
            used.approved_as,
            staff=(used.actor, used.id),
        )
        changes, name = draw.changes + 1, draw_id(draw.campaign, number)
        following = Draw(draw.campaign, name, number, DrawState.OPEN, changes, previous=previous)
        if correction.reopen:
            return following
        closing = closing_of(self._campaigns[draw.campaign], number, self._clock.now())
        return replace(following, state=DrawState.FREEZING, closing=closing)
