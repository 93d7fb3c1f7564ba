"""Open a further round by an approval of two people.

The present draw becomes a past one that is continued: its places stay where they are and its history ends. While the
round has no result, no place moves. The round has the next number, a manifest that names the draw before, and
randomness of its own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.freeze import closing_of
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw, PlaceProgress
from services.lottery.draw.rules.further_round import FurtherRound
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.further.candidates import Candidates
from services.lottery.places.further_seats import FurtherRoundImpossibleError, FurtherSeats, read_further_seats
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

REASON = "places-free"
"""Reason in the public manifest."""


@dataclass(frozen=True)
class FurtherRounds:
    """Opens further rounds."""

    store: Store
    clock: Clock
    campaigns: Mapping[CampaignId, Campaign]
    vault_key: PinnedKeys

    async def seats(self, draw: Draw) -> FurtherSeats | None:
        """Return what a further round would draw now; None unless the draw is published."""
        return await read_further_seats(self.store, draw, self.campaigns[draw.campaign], self.clock.now())

    async def open(self, draw: Draw, role: Role, approval: PresentedApproval) -> DrawId:
        """Open a further round and return its id. `role`: of the person who acts, for the manifest.

        Raises WrongStateError, FurtherRoundImpossibleError, ClocksDifferError, ApprovalRefusedError.
        """
        await check_clocks(self.store)
        expected = _possible(await self.seats(draw), draw)
        approval.check(ApprovalKind.FURTHER_ROUND, draw.campaign, expected.approval_params())
        candidates = Candidates(self.store, self.campaigns[draw.campaign], expected.scope)
        if not await candidates.any_for(draw.base, expected.free):
            raise FurtherRoundImpossibleError("no-entries")

        async def open_round(uow: UnitOfWork) -> DrawId:
            now, present = self.clock.now(), await DrawRepository(uow).get(draw.campaign)
            seats = await read_further_seats(uow, present, self.campaigns[draw.campaign], now)
            found = _possible(seats, present)
            used = await approval.use(uow, ApprovalKind.FURTHER_ROUND, draw.campaign, found.approval_params())
            following = self._following(found, role, used, now)
            await DrawRepository(uow).replace_draw(present, following)
            await record_act(uow, "lottery", StaffAct.OPEN_FURTHER_ROUND, used.actor, following.id, draw.campaign)
            return following.id

        name = await self.store.transact(open_round)
        _log.info("further-round-opened", campaign=draw.campaign, draw=name)
        return name

    def _following(self, found: FurtherSeats, role: Role, used: UsedApproval, now: datetime) -> Draw:
        draw, number = found.draw, found.draw.number + 1
        line_hash = hashlib.sha256(draw.manifest.line.encode()).hexdigest()
        return Draw(
            draw.campaign,
            draw_id(draw.campaign, number),
            number,
            DrawState.FREEZING,
            draw.changes + 1,
            closing=closing_of(self.campaigns[draw.campaign], number, now, self.vault_key),
            previous=Previous(draw.id, line_hash, REASON, role, used.approved_as, staff=(used.actor, used.id)),
            further=FurtherRound(draw.rounds, line_hash, found.last_sha256, found.scope, found.free),
            places=PlaceProgress(extra=draw.places.extra),
        )


def _possible(seats: FurtherSeats | None, draw: Draw) -> FurtherSeats:
    """Return the seats. Raises WrongStateError or FurtherRoundImpossibleError where no round can be opened."""
    if seats is None:
        raise WrongStateError("erasing" if draw.is_erasing else draw.state)
    if seats.obstacle is not None:
        raise FurtherRoundImpossibleError(seats.obstacle)
    return seats
