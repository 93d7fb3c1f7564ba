"""Take the digits of witnesses, which the vault signed as acts, while nobody can know the beacon's value.

An act counts if its own time is at least 30 seconds before the round, and if it arrives here before the round: so
neither the vault nor the last witness can choose it after the value is out. What comes too late is dropped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.lottery.draw.clock_check import ClocksDifferError, check_clocks
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.given_source import GivenSource
from services.lottery.draw.rules.states import DrawState
from shared.clock import Clock
from shared.contracts import DiceEntered
from shared.dice_acts import InvalidDiceActsError, check_act, in_order
from shared.errors import TransientError
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


class DiceTaking:
    """Handler of `dice.entered`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def on_entered(self, events: Sequence[DiceEntered], uow: UnitOfWork) -> None:
        """Store acts of the present draw. Raises TransientError where this machine's clock is not right."""
        for event in events:
            draw = await DrawRepository(uow).find(event.campaign)
            refusal = await self._refusal(draw, event)
            if draw is None or refusal is not None:
                _log.warning("dice-refused", campaign=event.campaign, draw=event.draw, code=refusal)
            elif not await self._take(draw, event.act, uow):
                _log.warning("dice-refused", campaign=event.campaign, draw=event.draw, code="not-needed")

    async def _refusal(self, draw: Draw | None, event: DiceEntered) -> str | None:
        """Return the code of the reason why the act is not taken; None if it is."""
        if draw is None or draw.id != event.draw or draw.state is not DrawState.FROZEN or not draw.lacks_dice:
            return "not-needed"
        manifest = draw.manifest
        try:
            check_act(manifest.vault_key or "", event.act, manifest.dice_rule)
        except InvalidDiceActsError:
            return "invalid"
        if self._clock.now() < manifest.beacon.at:
            return None
        try:
            await check_clocks(self._store)
        except ClocksDifferError:
            raise TransientError("this machine's clock is not the database's; another process takes the act") from None
        return "late"

    async def _take(self, draw: Draw, act: Mapping[str, Any], uow: UnitOfWork) -> bool:
        if any(known["id"] == act["id"] for known in draw.dice_acts):
            return True
        acts = in_order([*draw.dice_acts, act])
        complete = len(acts) == draw.manifest.witnesses
        given = GivenSource("dice", "+".join(one["role"] for one in acts), self._clock.now()) if complete else None
        digits = "".join(one["params"]["digits"] for one in acts) if complete else None
        taken = await DrawRepository(uow).enter_acts(draw, acts, digits, given)
        if taken and complete:
            _log.info("randomness-entered", campaign=draw.campaign, draw=draw.id, code="dice")
        return taken
