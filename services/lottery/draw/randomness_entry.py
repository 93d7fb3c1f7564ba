"""Enter the beacon's value of a frozen draw. The digits of witnesses come from the vault (`dice_taking`).

The value is entered once, after the time for objections, and after the digits, which must not depend on it. There is no
fallback, because a fallback is a choice.
"""

import asyncio
from datetime import datetime
from typing import Final

from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.given_source import GivenSource
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.randomness.sources import check_beacon
from services.lottery.record.manifest import Manifest
from shared.clock import Clock
from shared.contracts import StaffAct
from shared.errors import KujiError
from shared.logging import get_logger
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

SCHEDULE: Final = "schedule"
"""Actor of values that no person entered."""


class ObjectionsOpenError(KujiError):
    """Raised when the time for objections to the list is not over; `until` says when randomness may be entered."""

    def __init__(self, until: datetime) -> None:
        super().__init__("objections may still be raised")
        self.until = until


class RandomnessService:
    """Checks and stores the beacon's value, and the hashes of photographs of the dice."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def enter_beacon(self, draw: Draw, signature: str, actor: str) -> Draw:
        """Store the beacon's value of the round that the manifest names, and return the draw.

        Raises InvalidRandomnessError, ClocksDifferError, ObjectionsOpenError, WrongStateError.
        """
        manifest = await self._check_ready(draw)
        if draw.lacks_dice:
            raise WrongStateError("waiting for the digits of witnesses")
        await asyncio.to_thread(check_beacon, signature, manifest.beacon)
        given = GivenSource("beacon_signature", actor, self._clock.now())

        async def enter(uow: UnitOfWork) -> Draw | None:
            changed = await DrawRepository(uow).enter_source(draw, given, {"beacon_signature": signature})
            if changed is not None and actor != SCHEDULE:
                await record_act(uow, "lottery", StaffAct.ENTER_BEACON, actor, draw.id, draw.campaign)
            return changed

        entered = await self._store.transact(enter)
        if entered is None:
            raise WrongStateError("given its beacon already")
        _log.info("randomness-entered", campaign=draw.campaign, draw=draw.id, code="beacon_signature")
        return entered

    async def attach_evidence(self, draw: Draw, hashes: list[str], actor: str) -> None:
        """Store hashes of photographs or recordings of the dice, for the transcript. Raises WrongStateError."""
        if draw.state is not DrawState.FROZEN or not draw.manifest.uses_dice:
            raise WrongStateError(draw.state)

        async def attach(uow: UnitOfWork) -> None:
            if not await DrawRepository(uow).add_evidence(draw, hashes):
                raise WrongStateError("frozen no more, or has these files already")
            await record_act(uow, "lottery", StaffAct.ATTACH_EVIDENCE, actor, draw.id, draw.campaign)

        await self._store.transact(attach)

    async def _check_ready(self, draw: Draw) -> Manifest:
        if draw.state is not DrawState.FROZEN:
            raise WrongStateError(draw.state)
        manifest = draw.manifest
        if self._clock.now() < manifest.objections_until:
            raise ObjectionsOpenError(manifest.objections_until)
        if manifest.objections_until > manifest.frozen_at:
            await check_clocks(self._store)  # a clock that is ahead would cut objections short
        return manifest
