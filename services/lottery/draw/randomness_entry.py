"""Enter the randomness of a frozen draw: dice read out before witnesses, and the beacon's value.

Each source is entered once, and not before the time for objections is over. There is no fallback, because a fallback is
a choice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw, GivenSource
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.randomness.sources import check_beacon, check_dice
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

_ACTS: Final[Mapping[str, StaffAct]] = {
    "dice": StaffAct.ENTER_DICE,
    "beacon_signature": StaffAct.ENTER_BEACON,
}


class ObjectionsOpenError(KujiError):
    """Raised when the time for objections to the list is not over; `until` says when randomness may be entered."""

    def __init__(self, until: datetime) -> None:
        super().__init__("objections may still be raised")
        self.until = until


@dataclass(frozen=True)
class Dice:
    """Digits as they were typed twice, the witnesses' names, and `sha256:…` of photographs or recordings."""

    digits: str
    again: str
    witnesses: Sequence[str]
    evidence: Sequence[str] = ()


class RandomnessService:
    """Checks and stores sources of randomness."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def enter_dice(self, draw: Draw, dice: Dice, actor: str) -> Draw:
        """Store digits that were read out before witnesses, and return the draw.

        Raises InvalidRandomnessError, ClocksDifferError, ObjectionsOpenError, WrongStateError.
        """
        manifest = await self._check_ready(draw)
        if manifest.dice_digits is None:
            raise WrongStateError("without dice")
        check_dice(
            dice.digits,
            dice.again,
            dice.witnesses,
            needed=manifest.dice_digits,
            witnesses_needed=manifest.witnesses,
        )
        values = {"dice": dice.digits, "witnesses": list(dice.witnesses), "dice_evidence": list(dice.evidence)}
        return await self._enter(draw, "dice", values, actor)

    async def enter_beacon(self, draw: Draw, signature: str, actor: str) -> Draw:
        """Store the beacon's value of the round that the manifest names, and return the draw.

        Raises as `enter_dice` does.
        """
        manifest = await self._check_ready(draw)
        if manifest.beacon is None:
            raise WrongStateError("without beacon")
        await asyncio.to_thread(check_beacon, signature, manifest.beacon)
        return await self._enter(draw, "beacon_signature", {"beacon_signature": signature}, actor)

    async def _check_ready(self, draw: Draw) -> Manifest:
        if draw.state is not DrawState.FROZEN:
            raise WrongStateError(draw.state)
        manifest = draw.manifest
        if self._clock.now() < manifest.objections_until:
            raise ObjectionsOpenError(manifest.objections_until)
        if manifest.objections_until > manifest.frozen_at:
            await check_clocks(self._store)  # a clock that is ahead would cut objections short
        return manifest

    async def _enter(self, draw: Draw, source: str, values: Mapping[str, Any], actor: str) -> Draw:
        given = GivenSource(source, actor, self._clock.now())

        async def enter(uow: UnitOfWork) -> Draw | None:
            changed = await DrawRepository(uow).enter_source(draw, given, values)
            if changed is not None and actor != SCHEDULE:
                await record_act(uow, "lottery", _ACTS[source], actor, draw.id, draw.campaign)
            return changed

        entered = await self._store.transact(enter)
        if entered is None:
            raise WrongStateError(f"given its {source.removesuffix('_signature')} already")
        _log.info("randomness-entered", campaign=draw.campaign, draw=draw.id, code=source)
        return entered
