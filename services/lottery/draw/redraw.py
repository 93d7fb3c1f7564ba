"""Correct a mistake by a new draw, with a reason and an approval.

The draw that is given up stays public as it was: its manifest, its rows and its transcript, if it has one. The new draw
has the next number, a manifest that names the draw before, and randomness of its own. A further round that is given up
before it has a result is followed by one over the same places; any other draw by a draw of the whole list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.lottery.draw.approval_params import params_of_redraw
from services.lottery.draw.freeze import closing_of
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw, PlaceProgress
from services.lottery.draw.rules.further_round import FurtherRound
from services.lottery.draw.rules.states import REPLACEABLE, DrawState, WrongStateError
from services.lottery.randomness.rounds import drawn_from
from services.lottery.record.manifest import Previous, draw_id
from shared.approvals import ApprovalKind
from shared.approvals.presented import PresentedApproval, UsedApproval
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.ids import CampaignId, DrawId
from shared.logging import get_logger
from shared.pinned_keys import PinnedKeys
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

    def __init__(
        self, store: Store, clock: Clock, campaigns: Mapping[CampaignId, Campaign], vault_key: PinnedKeys
    ) -> None:
        self._store, self._clock, self._campaigns, self._vault_key = store, clock, campaigns, vault_key

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
            draw.manifest.sha256,
            correction.reason,
            correction.role,
            used.approved_as,
            staff=(used.actor, used.id),
        )
        changes, name = draw.changes + 1, draw_id(draw.campaign, number)
        following = Draw(draw.campaign, name, number, DrawState.OPEN, changes, previous=previous)
        if correction.reopen:
            return following
        campaign, now = self._campaigns[draw.campaign], self._clock.now()
        closed = replace(
            following, state=DrawState.FREEZING, closing=closing_of(campaign, number, now, self._vault_key)
        )
        if draw.state is not DrawState.FROZEN or draw.further is None:
            return closed
        places = PlaceProgress(extra=draw.places.extra)
        return replace(closed, further=same_round(draw.further, campaign, number, now), places=places)


def same_round(further: FurtherRound, campaign: Campaign, number: int, now: datetime) -> FurtherRound:
    """Return the round again, without the classes that will have begun before it can be drawn."""
    from_ = drawn_from(campaign, number, now)
    begun = {one.id for one in campaign.classes if one.starts <= from_}
    return replace(further, free={name: seats for name, seats in further.free.items() if name not in begun})
