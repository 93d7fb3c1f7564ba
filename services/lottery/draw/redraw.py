"""Correct a mistake by a new draw, with a reason and two people.

The draw that is given up stays public as it was: its manifest, its rows and its transcript, if it has one. The new draw
has the next number, a manifest that names the draw before, and randomness of its own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.lottery.draw.freeze import closing_of
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import REPLACEABLE, DrawState, WrongStateError
from services.lottery.record.manifest import Previous, draw_id
from shared.campaign import Campaign
from shared.clock import Clock
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId
from shared.logging import get_logger
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class SamePersonError(KujiError):
    """Raised when a correction names the same person as actor and as approver."""


@dataclass(frozen=True)
class Correction:
    """Why and by whom a draw is corrected. `reopen`: entries were wrong, so verdicts may change before the freeze.

    `actor` and `approved_by`: ids of staff; the manifest holds `roles` instead.
    """

    reason: str
    actor: str
    approved_by: str
    reopen: bool
    roles: tuple[Role, Role] = (Role.HANDLER, Role.HANDLER)


class RedrawService:
    """Gives draws up and begins the next ones."""

    def __init__(self, store: Store, clock: Clock, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._store, self._clock, self._campaigns = store, clock, campaigns

    async def redraw(self, draw: Draw, correction: Correction) -> DrawId:
        """Give the draw up, begin the next one and return its id. Raises SamePersonError, WrongStateError."""
        if correction.actor == correction.approved_by:
            raise SamePersonError("another person must approve")
        if draw.state not in REPLACEABLE:
            raise WrongStateError(draw.state)
        following = self._following(draw, correction)

        async def replace_draw(uow: UnitOfWork) -> None:
            await DrawRepository(uow).replace_draw(draw, following)

        await self._store.transact(replace_draw)
        _log.info("draw-given-up", campaign=draw.campaign, draw=draw.id, state=draw.state)
        return following.id

    def _following(self, draw: Draw, correction: Correction) -> Draw:
        number = draw.number + 1
        previous = Previous(
            draw.id,
            hashlib.sha256(draw.manifest.line.encode()).hexdigest(),
            correction.reason,
            *correction.roles,
            staff=(correction.actor, correction.approved_by),
        )
        changes, name = draw.changes + 1, draw_id(draw.campaign, number)
        following = Draw(draw.campaign, name, number, DrawState.OPEN, changes, previous=previous)
        if correction.reopen:
            return following
        closing = closing_of(self._campaigns[draw.campaign], number, self._clock.now(), None)
        return replace(following, state=DrawState.FREEZING, closing=closing)
