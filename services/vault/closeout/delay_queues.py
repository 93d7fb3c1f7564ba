"""Wait until no message from before T can come back from a delay queue (docs/protocols.md §5, attack a6).

T is the moment at which the last tombstone was confirmed. After T no service puts a message of the campaign into a
delay queue, so a queue that was seen empty after T + the longest delay holds none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.vault.closeout.rules.required_stores import DELAY_QUEUES
from shared.contracts import StoreErasure
from shared.messaging import BrokerUnavailableError


class DelayQueues(Protocol):
    """The delay queues of all services."""

    async def delay_depths(self) -> dict[str, int]:
        """Return the number of waiting messages by queue. Raises BrokerUnavailableError."""


@dataclass(frozen=True)
class Drain:
    """State of the wait. `empty`: queues seen empty late enough. `ended`: True drained, False given up, or None."""

    empty: frozenset[str]
    ended: bool | None


@dataclass(frozen=True)
class DelayQueueWatch:
    """`longest_delay_s`: of all delay queues. `give_up_s`: after T; then the verdict is UNKNOWN."""

    queues: DelayQueues
    longest_delay_s: float
    give_up_s: float

    async def look(self, silenced_at: datetime, seen_empty: frozenset[str] | None, now: datetime) -> Drain:
        """Look at all delay queues once. `silenced_at` is T; both times are on the machine's clock.

        `seen_empty` is None at the first look: if all queues are empty then, there is nothing to wait for.
        """
        try:
            depths = await self.queues.delay_depths()
        except BrokerUnavailableError:
            depths = None
        late = now >= silenced_at + timedelta(seconds=self.longest_delay_s)
        empty = (seen_empty or frozenset()) | (_empty(depths) if depths is not None and late else frozenset())
        nothing_at_first = seen_empty is None and depths is not None and not any(depths.values())
        if depths is not None and (nothing_at_first or set(depths) <= empty):
            return Drain(empty, ended=True)
        given_up = now >= silenced_at + timedelta(seconds=self.give_up_s)
        return Drain(empty, ended=False if given_up else None)


def judge_delay_queues(*, drained: bool | None) -> StoreErasure:
    """Return the row of the delay queues: UNKNOWN unless the wait ended with empty queues."""
    if drained:
        return StoreErasure(store=DELAY_QUEUES, before=None, after=0, residue=0, result="PASS")
    note = "a message from before the tombstones may still come back"
    return StoreErasure(store=DELAY_QUEUES, before=None, after=None, residue=None, result="UNKNOWN", note=note)


def _empty(depths: Mapping[str, int]) -> frozenset[str]:
    return frozenset(queue for queue, depth in depths.items() if depth == 0)
