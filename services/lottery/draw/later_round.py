"""Begin the next draw with a later round, with an approval: where the round is known already, or digits are missing.

The draw that is given up stays public with the reason. Nothing is known of it that the next one could be chosen by: it
was not frozen, or the digits of a witness are missing for ever. The later round follows from the rule of
`randomness.rounds`, so that nobody chooses it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from services.lottery.draw.approval_params import params_of_later_round
from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.freeze import closing_of
from services.lottery.draw.redraw import same_round
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.blockers import later_round_reason
from services.lottery.draw.rules.draw import Draw, PlaceProgress
from services.lottery.draw.rules.states import DrawState, WrongStateError
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

_NOT_NEEDED: Final = "not one that needs a later round"

_log = get_logger(__name__)


class LaterRoundService:
    """Gives up draws that cannot take place, and begins the next ones."""

    def __init__(
        self, store: Store, clock: Clock, campaigns: Mapping[CampaignId, Campaign], vault_key: PinnedKeys
    ) -> None:
        self._store, self._clock, self._campaigns, self._vault_key = store, clock, campaigns, vault_key

    async def begin(self, draw: Draw, role: Role, approval: PresentedApproval) -> DrawId:
        """Give the draw up and begin the next one; return its id. `role`: of the person who acts, for the manifest.

        Raises ApprovalRefusedError, ClocksDifferError, VaultKeyUnknownError, WrongStateError.
        """
        await check_clocks(self._store)  # a clock that is ahead would give a draw up while digits may still come

        async def replace_draw(uow: UnitOfWork) -> Draw:
            present = await DrawRepository(uow).get(draw.campaign)
            reason = later_round_reason(present, self._campaigns[draw.campaign], self._clock.now())
            if present.id != draw.id or reason is None:
                raise WrongStateError(_NOT_NEEDED)
            params = params_of_later_round(present, self._campaigns[draw.campaign])
            used = await approval.use(uow, ApprovalKind.LATER_ROUND, draw.campaign, params)
            following = self._following(present, reason, role, used)
            await DrawRepository(uow).replace_draw(present, following)
            await record_act(uow, "lottery", StaffAct.LATER_ROUND, used.actor, draw.id, draw.campaign)
            return following

        following = await self._store.transact(replace_draw)
        _log.info("draw-given-up", campaign=draw.campaign, draw=draw.id, state=draw.state)
        return following.id

    def _following(self, draw: Draw, reason: str, role: Role, used: UsedApproval) -> Draw:
        """Return the next draw: with the list open as before, or with the frozen list closed once more."""
        number, sha256 = draw.number + 1, draw.manifest.sha256 if draw.has_manifest else None
        previous = Previous(draw.id, sha256, reason, role, used.approved_as, staff=(used.actor, used.id))
        name = draw_id(draw.campaign, number)
        following = Draw(draw.campaign, name, number, DrawState.OPEN, draw.changes + 1, previous=previous)
        if draw.state is DrawState.OPEN:
            return following
        campaign, now = self._campaigns[draw.campaign], self._clock.now()
        closing = closing_of(campaign, number, now, self._vault_key)
        closed = replace(following, state=DrawState.FREEZING, closing=closing)
        if draw.further is None:
            return closed
        places = PlaceProgress(extra=draw.places.extra)
        return replace(closed, further=same_round(draw.further, campaign, number, now), places=places)
