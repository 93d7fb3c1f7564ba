"""Who gets what: tickets, seats and wishes (`docs/protocols.md` §2, "Allocation" and "Waiting list"). Pure.

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
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.choice_order import chance_orders
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.holdings import Situations
from services.lottery.allocation.tickets import DrawnOrder, Positions
from services.lottery.rules import ClassRule, Rules

LostReason = Literal["drawn", "limit", "clash"]

_FIRST_RUN: Final = 1 << 12
_LONGEST_RUN: Final = 1 << 18


@dataclass(frozen=True, eq=False)
class Allocation:
    """Positions in the frozen list: winners in the order won, waiting in the order of promotion."""

    order: DrawnOrder
    winners: Mapping[str, Positions]
    waiting: Mapping[str, Positions]
    situations: Situations
    of: NDArray[np.uint32]

    def lost(self, position: int, name: str) -> LostReason:
        """Why an entry that neither holds a class nor waits for it does not have it."""
        return self.situations.lost(int(self.of[position]), name)


def allocate(key: bytes, frozen: FrozenList, classes: Sequence[ClassRule], rules: Rules) -> Allocation:
    """The whole result from K, the frozen list and the manifest's rules; the same for everybody who computes it."""
    order = DrawnOrder(key, frozen.ids)
    giving = _Giving(key, frozen, classes, rules)
    for number in range(1, rules.max_wins + 1):
        if not giving.round(order.run if number % 2 else order.backwards):
            break
    waiting = {rule.id: giving.waiting(order, rule) for rule in classes}
    return Allocation(order, giving.winners(), waiting, giving.situations, giving.of)


class _Giving:
    """Seats while they are given out. `of[i]` is entry i's situation."""

    def __init__(self, key: bytes, frozen: FrozenList, classes: Sequence[ClassRule], rules: Rules) -> None:
        overlaps = [[one is not other and _overlap(one, other) for other in classes] for one in classes]
        self.situations = Situations(frozen.table, [rule.id for rule in classes], overlaps, rules.max_wins)
        self.of = frozen.lists.copy()
        self._key, self._frozen, self._by_chance = key, frozen, not rules.preferences
        self._left = np.array([rule.capacity for rule in classes], np.int64)
        self._names = [rule.id for rule in classes]
        self._won: list[list[Positions]] = [[] for _ in classes]
        self._picks = self.situations.picks(self._left)

    def winners(self) -> dict[str, Positions]:
        return {name: _joined(parts) for name, parts in zip(self._names, self._won, strict=True)}

    def round(self, look: Callable[[int, int], Positions]) -> bool:
        """Everybody's turn once, in the order in which `look` shows them; whether anybody took anything."""
        took, searched, at, length = False, False, 0, _FIRST_RUN
        self._picks = self.situations.picks(self._left)
        while at < len(self.of) and np.any(self._picks >= 0):
            run = look(at, at + length)
            done = self._serve(run)
            if done == 0 and not searched and not self._anybody(self._picks >= 0):
                break
            searched = done == 0
            fell_short = 0 < done < len(run)
            length = _FIRST_RUN if fell_short else min(2 * length, _LONGEST_RUN)
            took, at = took or done > 0, at + (done or len(run))
        return took

    def _anybody(self, which: NDArray[np.bool_]) -> bool:
        """Whether some entry is in one of these situations. Looks at all, so ask only where few are expected."""
        counts = np.bincount(self.of, minlength=len(which))
        return bool(np.any(counts[: len(which)][which]))

    def _serve(self, run: Positions) -> int:
        """Give to this run until a class falls short. After how many entries the next run begins; 0: nobody took.

        The one after whom a class falls short has taken still: there was room for it.
        """
        takers = np.flatnonzero(self._picks[self.of[run]] >= 0)
        if not takers.size:
            return 0
        if self._by_chance:
            self._put_in_order(run[takers])
        held = self.of[run[takers]]
        classes, seats = self.situations.taken(held, self._picks)
        last = self._shortest(classes, seats)
        upto = slice(None if last is None else last + 1)
        self._give(run[takers[upto]], held[upto], classes[upto], seats[upto])
        if last is None:
            return len(run)
        self._picks = self.situations.picks(self._left)
        return int(takers[last]) + 1

    def _put_in_order(self, takers: Positions) -> None:
        """Chance says in which order those try their choices who have not been looked at before."""
        fresh = takers[self.of[takers] < self.situations.unordered]
        if fresh.size:
            ids = b"".join(self._frozen.id(int(at)) for at in fresh)
            lists = [self._frozen.choices(int(at)) for at in fresh]
            self.of[fresh] = self.situations.ordered(chance_orders(self._key, ids, lists))
            self._picks = self.situations.picks(self._left)

    def _shortest(self, classes: NDArray[np.int16], seats: NDArray[np.int64]) -> int | None:
        """The first taker after whom some class has fewer seats left than somebody may ask of it."""
        found: list[int] = []
        for number in np.unique(classes):
            its = np.flatnonzero(classes == number)
            after = self._left[number] - np.cumsum(seats[its])
            short = int(np.searchsorted(-after, -self.situations.largest_open(number, self._left), side="right"))
            if short < len(its):
                found.append(int(its[short]))
        return min(found, default=None)

    def _give(
        self, winners: Positions, held: NDArray[np.uint32], classes: NDArray[np.int16], seats: NDArray[np.int64]
    ) -> None:
        for number in np.unique(classes):
            its = classes == number
            self._won[number].append(winners[its])
            self._left[number] -= int(seats[its].sum())
        self.of[winners] = self.situations.after(held, self._picks)

    def waiting(self, order: DrawnOrder, rule: ClassRule) -> Positions:
        """Those who asked for it, do not hold it, hold fewer than max_wins and have no clash, by ticket."""
        may = self.situations.may_wait(rule.id)
        room, found = rule.waiting, list[Positions]()
        searched, at, length = False, 0, _FIRST_RUN
        while room > 0 and at < len(order):
            run = order.run(at, at + length)
            waits = run[may[self.of[run]]][:room]
            if not waits.size and not searched and not self._anybody(may):
                break
            searched = not waits.size
            found.append(waits)
            room, at, length = room - len(waits), at + len(run), min(2 * length, _LONGEST_RUN)
        return _joined(found)


def _joined(parts: Sequence[Positions]) -> Positions:
    return np.concatenate(parts) if parts else np.empty(0, np.uint32)


def _overlap(one: ClassRule, other: ClassRule) -> bool:
    return one.starts < other.ends and other.starts < one.ends
