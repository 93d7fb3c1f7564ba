"""Turn an allocation into results: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.allocator import Allocation, LostReason
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import DrawnOrder, Positions
from services.lottery.draw.rules.entry import ListedEntry
from services.lottery.draw.rules.result import DrawnResult
from shared.ids import ClassId
from shared.json_types import JsonObject

_Losses = Sequence[tuple[ClassId, int, LostReason, int]]
"""Classes, seats, reasons, and entries that asked for the class, of an entry that has no place at all."""


class Outcomes:
    """Gives results to entries, by their positions in the frozen list.

    `rank` and `of` of an outcome count the entries of the list that asked for its class: one for each application,
    however many people it is for.
    """

    def __init__(self, allocation: Allocation, frozen: FrozenList) -> None:
        self._allocation, self._frozen, self._states = allocation, frozen, allocation.state_of
        self._won = {name: frozenset(won.tolist()) for name, won in allocation.winners.items()}
        self._positions = {name: _positions(waiting) for name, waiting in allocation.waiting.items()}
        self._placed = frozenset[int]().union(*self._won.values(), *self._positions.values())
        self._ranks, self._class_ranks, self._asked = _ranks(allocation.order, frozen)
        self._losses: dict[tuple[int, int], _Losses] = {}

    def results(self, start: int, entries: Sequence[ListedEntry]) -> list[DrawnResult]:
        """Return one result for each entry; the first entry has position `start` in the frozen list."""
        part = slice(start, start + len(entries))
        columns = (self._class_ranks, self._states, self._frozen.lists)
        found = zip(entries, *(column[part].tolist() for column in columns), strict=True)
        return [self._result(at, *one) for at, one in enumerate(found, start)]

    def _result(self, position: int, entry: ListedEntry, ranks: list[int], state: int, number: int) -> DrawnResult:
        losses = self._losses.get((state, number))
        outcomes: list[JsonObject]
        if losses is None or position in self._placed:
            outcomes = self._outcomes(position, ranks, state, number)
        else:
            outcomes = [
                {"class_id": name, "outcome": "lost", "reason": reason, "seats": seats, "rank": rank, "of": of}
                for (name, seats, reason, of), rank in zip(
                    losses, ranks, strict=False
                )  # shorter lists leave ranks over
            ]
        for name, reason in entry.refused:
            outcomes.append({"class_id": name, "outcome": "refused", "seats": 1, "reason": reason})
        return DrawnResult(entry.entry, entry.receipt, entry.token, outcomes)

    def _outcomes(self, position: int, ranks: list[int], state: int, number: int) -> list[JsonObject]:
        """Return the outcomes of an entry; keep the losses of its state if no turn of a group decides any of them."""
        choices, asked = self._frozen.table[number], self._asked
        outcomes: list[JsonObject] = [
            {"class_id": name, **self._outcome(position, name, seats), "seats": seats, "rank": rank, "of": asked[name]}
            for (name, seats), rank in zip(choices, ranks, strict=False)
        ]
        if position not in self._placed and not any(self._may_be_short(name, seats) for name, seats in choices):
            reasons = [outcome["reason"] for outcome in outcomes]
            self._losses[state, number] = [
                (ClassId(name), seats, reason, asked[name])
                for (name, seats), reason in zip(choices, reasons, strict=True)
            ]
        return outcomes

    def _outcome(self, position: int, name: str, seats: int) -> JsonObject:
        if position in self._won[name]:
            return {"outcome": "won"}
        place = self._positions[name].get(position)
        if place is not None:
            return {"outcome": "waiting", "position": place}
        return {"outcome": "lost", "reason": self._allocation.lost(position, int(self._ranks[position]), name, seats)}

    def _may_be_short(self, name: str, seats: int) -> bool:
        allocation = self._allocation
        return allocation.free.may_be_short(allocation.holdings.number(name), seats)


def _positions(waiting: Positions) -> dict[int, int]:
    """Return the position on the waiting list, from 1, by position in the frozen list."""
    return {position: rank for rank, position in enumerate(waiting.tolist(), 1)}


def _ranks(order: DrawnOrder, frozen: FrozenList) -> tuple[NDArray[np.uint32], NDArray[np.uint32], dict[str, int]]:
    """Return the ranks in the drawn order, those among the entries that asked for a class, and how many these are.

    Ranks count from 1, rows are positions in the frozen list. Column k of the second: for the class of the entry's
    choice k, from 0; 0 where it has fewer choices. One pass over all entries, and one look-up of them for each class.
    """
    drawn = order.run(0, len(order))
    ranks = np.empty(len(order), np.uint32)
    ranks[drawn] = np.arange(1, len(order) + 1, dtype=np.uint32)
    columns = _columns(frozen)
    class_ranks = np.zeros((len(order), max(map(len, frozen.table), default=0)), np.uint32)
    lists, asked = frozen.lists[drawn], dict[str, int]()
    for name, column in columns.items():
        found = column[lists]
        asks = found >= 0
        asking = drawn[asks]
        class_ranks[asking, found[asks]] = np.arange(1, len(asking) + 1, dtype=np.uint32)
        asked[name] = len(asking)
    return ranks, class_ranks, asked


def _columns(frozen: FrozenList) -> dict[str, NDArray[np.int16]]:
    """Return for each class in which place, from 0, each list of choices has it; -1 for lists without it."""
    columns: dict[str, NDArray[np.int16]] = {}
    for number, choices in enumerate(frozen.table):
        for at, (name, _) in enumerate(choices):
            if name not in columns:
                columns[name] = np.full(len(frozen.table), -1, np.int16)
            columns[name][number] = at
    return columns
