"""Turn an allocation into results: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.allocator import Allocation, LostReason
from services.lottery.allocation.tickets import DrawnOrder, Positions
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.rules.result import DrawnResult
from shared.ids import ClassId
from shared.json_types import JsonObject


class Outcomes:
    """Gives results to entries, by their positions in the frozen list."""

    def __init__(self, allocation: Allocation) -> None:
        self._allocation, self._states = allocation, allocation.state_of
        self._won = {name: frozenset(won.tolist()) for name, won in allocation.winners.items()}
        self._positions = {name: _positions(waiting) for name, waiting in allocation.waiting.items()}
        self._ranks = _ranks(allocation.order)
        self._reasons: dict[tuple[int, str], LostReason] = {}

    def results(self, start: int, entries: Sequence[Entry]) -> list[DrawnResult]:
        """Return one result for each entry; the first entry has position `start` in the frozen list."""
        part = slice(start, start + len(entries))
        found = zip(entries, self._ranks[part].tolist(), self._states[part].tolist(), strict=True)
        return [self._result(at, entry, rank, state) for at, (entry, rank, state) in enumerate(found, start)]

    def _result(self, position: int, entry: Entry, rank: int, state: int) -> DrawnResult:
        """Return the result of an entry. Raises ValueError if the entry has no entry id or no token."""
        if entry.entry is None or entry.token is None:
            raise ValueError("an accepted entry has an entry id and a token")
        of = len(self._ranks)
        outcomes: list[JsonObject] = [
            {
                "class_id": name,
                **self._outcome(position, rank, state, name, seats),
                "seats": seats,
                "rank": rank,
                "of": of,
            }
            for name, seats in entry.choices
        ]
        for name, reason in entry.refused:
            outcomes.append({"class_id": name, "outcome": "refused", "seats": 1, "reason": reason})
        return DrawnResult(entry.entry, entry.receipt, entry.token, outcomes)

    def _outcome(self, position: int, rank: int, state: int, name: ClassId, seats: int) -> JsonObject:
        if position in self._won[name]:
            return {"outcome": "won"}
        place = self._positions[name].get(position)
        if place is not None:
            return {"outcome": "waiting", "position": place}
        return {"outcome": "lost", "reason": self._lost(position, rank, state, name, seats)}

    def _lost(self, position: int, rank: int, state: int, name: ClassId, seats: int) -> LostReason:
        """Return the reason of a loss, computed once for each class and state that no turn of a group decides."""
        reason = self._reasons.get((state, name))
        if reason is None:
            reason = self._allocation.lost(position, rank, name, seats)
            if not self._allocation.free.may_be_short(self._allocation.holdings.number(name), seats):
                self._reasons[state, name] = reason
        return reason


def _positions(waiting: Positions) -> dict[int, int]:
    """Return the position on the waiting list, from 1, by position in the frozen list."""
    return {position: rank for rank, position in enumerate(waiting.tolist(), 1)}


def _ranks(order: DrawnOrder) -> NDArray[np.uint32]:
    """Return the rank in the drawn order, from 1, by position in the frozen list."""
    ranks = np.empty(len(order), np.uint32)
    ranks[order.run(0, len(order))] = np.arange(1, len(order) + 1, dtype=np.uint32)
    return ranks
