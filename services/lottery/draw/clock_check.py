"""Whether this machine's clock can be believed: the database's is asked beside it before a list is fixed.

A process whose clock is behind would fix a list after the beacon's value is out, and believe it was before. The
machines' own clocks are compared: a rehearsal's time may stand where it likes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from services.lottery.draw.rules.blockers import Wait
from services.lottery.draw.rules.states import DrawState
from shared.errors import KujiError
from shared.storage import Store

MOST_APART: Final = timedelta(seconds=30)


class ClocksDiffer(KujiError):  # noqa: N818  (says what is the case)
    """The clocks of this machine and of the database are too far apart; `seconds` says how far."""

    def __init__(self, apart: timedelta) -> None:
        self.seconds = round(apart.total_seconds())
        super().__init__(f"this machine's clock and the database's are {self.seconds} s apart")


async def agreed_clocks(store: Store) -> None:
    """Raises ClocksDiffer."""
    apart = abs(await store.time() - datetime.now(UTC))
    if apart > MOST_APART:
        raise ClocksDiffer(apart)


async def clock_waits(store: Store, draw: Mapping[str, Any]) -> list[Wait]:
    """What an open draw waits for besides (`waiting.waits`), where clocks differ."""
    if draw["state"] != DrawState.OPEN:
        return []
    try:
        await agreed_clocks(store)
    except ClocksDiffer as differ:
        return [Wait("clock", count=differ.seconds)]
    return []
