"""Compare this machine's clock with the database's before a list is fixed.

A process whose clock is behind would freeze a list after the beacon's value is public, and believe it was before. The
check compares the machines' own clocks; a rehearsal's invented time does not matter.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from services.lottery.draw.rules.blockers import Wait
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from shared.errors import KujiError
from shared.storage import Store

MOST_APART: Final = timedelta(seconds=30)


class ClocksDifferError(KujiError):
    """Raised when this machine's clock and the database's are too far apart; `seconds` says how far."""

    def __init__(self, apart: timedelta) -> None:
        self.seconds = round(apart.total_seconds())
        super().__init__(f"this machine's clock and the database's are {self.seconds} s apart")


async def check_clocks(store: Store) -> None:
    """Raise ClocksDifferError if the two clocks are more than `MOST_APART` apart."""
    apart = abs(await store.time() - datetime.now(UTC))
    if apart > MOST_APART:
        raise ClocksDifferError(apart)


async def clock_waits(store: Store, draw: Draw) -> list[Wait]:
    """Return what an open draw waits for besides `blockers.waits`: clocks that agree."""
    if draw.state is not DrawState.OPEN:
        return []
    try:
        await check_clocks(store)
    except ClocksDifferError as error:
        return [Wait("clock", count=error.seconds)]
    return []
