"""Allocation of seats by ticket, choice and group size (`docs/protocols.md` §2, "Allocation" and "Waiting list"). Pure.

Rounds 1 … max_wins go through the drawn order, every even one backwards, so that a low ticket does not win twice
before a high one wins once. In a round an entry takes its first choice that it does not hold yet, that has as many
seats left as it asks for, and that does not overlap a class it holds. A group is all or none; never over capacity.

The seats that an entry may take depend on its list of choices, on the seats it holds and on how many seats each
class has left. Few such states exist (`services.lottery.allocation.holdings`), so the allocator processes whole runs
of entries at once. A run ends with the entry after which some class can no longer meet a remaining request. The
verifier goes entry by entry instead (`services.lottery.allocation.reference_allocator`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.choice_order import shuffle_choices
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.holdings import Held, HoldingStates
from services.lottery.allocation.shortage import FreeSeats, Turns
from services.lottery.allocation.tickets import DrawnOrder, Positions
from services.lottery.rules import ClassRule, Rules

LostReason = Literal["drawn", "group", "limit", "clash"]
"""`group`: in one of its turns the class had free seats, but fewer than the group needs; `drawn`: it had none."""

_Groups = Sequence[tuple[int, NDArray[np.intp]]]
"""Numbers of the classes that the takers of a run take, each with the takers that take it."""

_FIRST_RUN: Final = 1 << 12
_LONGEST_RUN: Final = 1 << 18


@dataclass(frozen=True, eq=False)
class Allocation:
    """Result of a draw, as positions in the frozen list: winners in the order won, waiting in the order of promotion.

    `state_of[i]` is the number of entry i's state in `holdings`; `free`: free seats during the allocation.
    """

    order: DrawnOrder
    winners: Mapping[str, Positions]
    waiting: Mapping[str, Positions]
    holdings: HoldingStates
    state_of: NDArray[np.uint32]
    free: FreeSeats

    def lost(self, position: int, rank: int, name: str, seats: int) -> LostReason:
        """Return the reason for which an entry neither holds a class nor waits for it. `rank`: from 1."""
        state, number = int(self.state_of[position]), self.holdings.number(name)
        reason = self.holdings.lost(state, name)
        if reason != "drawn" or not self.free.may_be_short(number, seats):
            return reason
        attempts, held = self.holdings.attempts(state), self.holdings.held_before(state)
        turns = Turns(rank - 1, len(self.order), attempts, self.holdings.barring, held)
        return "group" if turns.met_too_few(number, self.free) else "drawn"


def allocate(
    key: bytes,
    frozen: FrozenList,
    classes: Sequence[ClassRule],
    rules: Rules,
    held: Mapping[bytes, Held] = MappingProxyType({}),
) -> Allocation:
    """Allocate all seats from K, the frozen list and the manifest's rules. The result is deterministic.

    `held`: classes that entries hold before a further round; they count for `max_wins` and for overlaps.
    """
    order = DrawnOrder(key, frozen.ids)
    seating = _Seating(key, *_split_by_held(frozen, held), classes, rules)
    for number in range(1, rules.max_wins + 1):
        if not seating.play_round(number, order.run if number % 2 else order.backwards):
            break
    waiting = {rule.id: seating.waiting(order, rule) for rule in classes}
    return Allocation(order, seating.winners(), waiting, seating.holdings, seating.state_of, seating.free)


class _Seating:
    """Seats of all classes during the allocation. `state_of[i]` is entry i's state in `holdings`."""

    def __init__(
        self,
        key: bytes,
        frozen: FrozenList,
        held: Sequence[Held],
        classes: Sequence[ClassRule],
        rules: Rules,
    ) -> None:
        overlaps = [[one is not other and _overlap(one, other) for other in classes] for one in classes]
        self.holdings = HoldingStates(frozen.table, [rule.id for rule in classes], overlaps, rules.max_wins, held)
        self.state_of = frozen.lists.copy()
        self._key, self._frozen, self._by_chance = key, frozen, not rules.preferences
        self._left = np.array([rule.capacity for rule in classes], np.int64)
        self._names = [rule.id for rule in classes]
        asked = {(name, seats) for choices in frozen.table for name, seats in choices}
        sizes = [frozenset(seats for name, seats in asked if name == rule.id) for rule in classes]
        self.free = FreeSeats([rule.capacity for rule in classes], sizes)
        self._won: list[list[Positions]] = [[] for _ in classes]
        self._picks = self.holdings.picks(self._left)

    def winners(self) -> dict[str, Positions]:
        return {name: _concatenate(parts) for name, parts in zip(self._names, self._won, strict=True)}

    def play_round(self, number: int, look: Callable[[int, int], Positions]) -> bool:
        """Give every entry one turn, in the order of `look(start, end)`. Return True if any entry took a seat."""
        self.free.rounds = number
        took, searched, at, length = False, False, 0, _FIRST_RUN
        self._picks = self.holdings.picks(self._left)
        while at < len(self.state_of) and np.any(self._picks >= 0):
            run = look(at, at + length)
            done = self._allocate_run(run)
            if done == 0 and not searched and not self._any_entry_in(self._picks >= 0):
                break
            searched = done == 0
            fell_short = 0 < done < len(run)
            if done:
                self.free.record(number, at + done - 1, self._left)
            length = _FIRST_RUN if fell_short else min(2 * length, _LONGEST_RUN)
            took, at = took or done > 0, at + (done or len(run))
        return took

    def _any_entry_in(self, states: NDArray[np.bool_]) -> bool:
        """Return True if an entry is in one of these states. Scans all entries in pieces that fit a cache.

        States that arose after `states` was made are none of them: their entries took a seat in this round.
        """
        among = np.zeros(self.holdings.count, bool)
        among[: len(states)] = states
        pieces = range(0, len(self.state_of), _LONGEST_RUN)
        return any(bool(among[self.state_of[at : at + _LONGEST_RUN]].any()) for at in pieces)

    def _allocate_run(self, run: Positions) -> int:
        """Allocate seats to this run's entries, stopping after the first entry that leaves a class short.

        A class is short when it cannot meet some remaining request. Return the number of entries processed; 0 if no
        entry took a seat. The entry after which a class is short did take its seats: there was room for it.
        """
        states = self.state_of[run]
        takers = np.flatnonzero((self._picks >= 0)[states])
        if not takers.size:
            return 0
        if self._by_chance:
            self._order_choices(run[takers])
            states = self.state_of[run]
        held = states[takers]
        classes, seats = self.holdings.taken(held, self._picks)
        groups = _group(classes)
        last = self._first_shortage(groups, seats)
        count = len(takers) if last is None else last + 1
        self._give_seats(run[takers[:count]], held[:count], groups, seats)
        if last is None:
            return len(run)
        self._picks = self.holdings.picks(self._left)
        return int(takers[last]) + 1

    def _order_choices(self, takers: Positions) -> None:
        """Order the choices of the entries that have not been processed before (draws without preferences)."""
        fresh = takers[self.state_of[takers] < self.holdings.unordered]
        if fresh.size:
            ids = self._frozen.ids_of(fresh)
            table = self._frozen.table
            lists = self._frozen.lists[fresh]
            orders, numbers = shuffle_choices(self._key, ids, lists, table)
            before = lists[np.unique(numbers, return_index=True)[1]].tolist()
            self.state_of[fresh] = self.holdings.ordered(orders, before)[numbers]
            self._picks = self.holdings.picks(self._left)

    def _first_shortage(self, groups: _Groups, seats: NDArray[np.int64]) -> int | None:
        """Return the first taker after which a class has fewer seats left than its largest open request."""
        found: list[int] = []
        for number, its in groups:
            after = self._left[number] - np.cumsum(seats[its])
            short = int(np.searchsorted(-after, -self.holdings.largest_open(number, self._left), side="right"))
            if short < len(its):
                found.append(int(its[short]))
        return min(found, default=None)

    def _give_seats(
        self, winners: Positions, held: NDArray[np.uint32], groups: _Groups, seats: NDArray[np.int64]
    ) -> None:
        """Give the first takers, as many as `winners`, the seats that they take."""
        for number, takers in groups:
            its = takers[: int(np.searchsorted(takers, len(winners)))]
            self._won[number].append(winners[its])
            self._left[number] -= int(seats[its].sum())
        self.state_of[winners] = self.holdings.after(held, self._picks)

    def waiting(self, order: DrawnOrder, rule: ClassRule) -> Positions:
        """Return the waiting list: entries that chose the class, do not hold it and may still take it, by ticket."""
        may = self.holdings.may_wait(rule.id)
        room, found = rule.waiting, list[Positions]()
        searched, at, length = False, 0, _FIRST_RUN
        while room > 0 and at < len(order):
            run = order.run(at, at + length)
            waits = run[may[self.state_of[run]]][:room]
            if not waits.size and not searched and not self._any_entry_in(may):
                break
            searched = not waits.size
            found.append(waits)
            room, at, length = room - len(waits), at + len(run), min(2 * length, _LONGEST_RUN)
        return _concatenate(found)


def _split_by_held(frozen: FrozenList, held: Mapping[bytes, Held]) -> tuple[FrozenList, list[Held]]:
    """Return the list with a row of choices of its own for each different `held`, and the classes held for each row."""
    if not held:
        return frozen, []
    numbers: dict[tuple[int, Held], int] = {}
    pairs = ((number, held.get(frozen.id(at), frozenset())) for at, number in enumerate(frozen.lists.tolist()))
    lists = np.array([numbers.setdefault(pair, len(numbers)) for pair in pairs], np.uint32)
    table = tuple(frozen.table[number] for number, _ in numbers)
    return FrozenList(frozen.ids, lists, table), [classes for _, classes in numbers]


def _group(classes: NDArray[np.int16]) -> _Groups:
    """Return for each class the numbers of the takers that take it, in their order."""
    order, counts = np.argsort(classes, kind="stable"), np.bincount(classes)
    ends = np.cumsum(counts).tolist()
    return [(number, order[ends[number] - counts[number] : ends[number]]) for number in np.flatnonzero(counts).tolist()]


def _concatenate(parts: Sequence[Positions]) -> Positions:
    return np.concatenate(parts) if parts else np.empty(0, np.uint32)


def _overlap(one: ClassRule, other: ClassRule) -> bool:
    return one.starts < other.ends and other.starts < one.ends
