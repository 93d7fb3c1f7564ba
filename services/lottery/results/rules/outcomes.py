"""Turn an allocation into results: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.allocator import Allocation
from services.lottery.allocation.tickets import DrawnOrder, Positions
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.rules.result import Result
from shared.contracts import SlipOutcome
from shared.ids import ClassId


class Outcomes:
    """Gives results to entries, by their positions in the frozen list."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation = allocation
        self._won = {name: frozenset(won.tolist()) for name, won in allocation.winners.items()}
        self._positions = {name: _positions(waiting) for name, waiting in allocation.waiting.items()}
        self._ranks = _ranks(allocation.order)

    def results(self, start: int, entries: Sequence[Entry]) -> list[Result]:
        """Return one result for each entry; the first entry has position `start` in the frozen list."""
        return [self._result(start + offset, entry) for offset, entry in enumerate(entries)]

    def _result(self, position: int, entry: Entry) -> Result:
        """Return the result of an entry. Raises ValueError if the entry has no entry id or no token."""
        if entry.entry is None or entry.token is None:
            raise ValueError("an accepted entry has an entry id and a token")
        return Result(entry.entry, entry.receipt, entry.token, tuple(self._outcomes(position, entry)))

    def _outcomes(self, position: int, entry: Entry) -> Iterator[SlipOutcome]:
        for class_id, seats in entry.choices:
            yield self._outcome(position, class_id, seats)
        for class_id, reason in entry.refused:
            yield SlipOutcome(class_id=class_id, outcome="refused", seats=1, reason=reason)

    def _outcome(self, position: int, name: ClassId, seats: int) -> SlipOutcome:
        rank, of = int(self._ranks[position]), len(self._ranks)
        if position in self._won[name]:
            return SlipOutcome(class_id=name, outcome="won", seats=seats, rank=rank, of=of)
        if position in self._positions[name]:
            place = self._positions[name][position]
            return SlipOutcome(class_id=name, outcome="waiting", seats=seats, position=place, rank=rank, of=of)
        reason = self._allocation.lost(position, name)
        return SlipOutcome(class_id=name, outcome="lost", seats=seats, reason=reason, rank=rank, of=of)


def _positions(waiting: Positions) -> dict[int, int]:
    """Return the position on the waiting list, from 1, by position in the frozen list."""
    return {position: rank for rank, position in enumerate(waiting.tolist(), 1)}


def _ranks(order: DrawnOrder) -> NDArray[np.uint32]:
    """Return the rank in the drawn order, from 1, by position in the frozen list."""
    ranks = np.empty(len(order), np.uint32)
    ranks[order.run(0, len(order))] = np.arange(1, len(order) + 1, dtype=np.uint32)
    return ranks
