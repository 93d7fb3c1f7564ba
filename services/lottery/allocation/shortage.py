"""Find out whether a group met free seats that were too few for it, in one of its turns of the allocation. Pure.

Free seats of a class matter only where they fall below the size of some group, so few moments describe the whole
allocation. The turns of one entry are replayed from them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass
class FreeSeats:
    """Free seats of all classes, by the moments after which some group size fits no more.

    `sizes[c]`: group sizes that entries ask for in class c. A moment is (round from 1, turn in it from 0).
    """

    capacities: Sequence[int]
    sizes: Sequence[frozenset[int]]
    rounds: int = 0
    _moments: list[tuple[int, int]] = field(default_factory=list)
    _left: list[tuple[int, ...]] = field(default_factory=list)
    _short: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.record(0, 0, self.capacities)

    def record(self, number: int, turn: int, left: Iterable[int]) -> None:
        """Record the free seats after this turn of this round."""
        seats = tuple(map(int, left))
        self._moments.append((number, turn))
        self._left.append(seats)
        self._short |= {at for at, free in enumerate(seats) if free > 0 and any(free < size for size in self.sizes[at])}

    def may_be_short(self, number: int, seats: int) -> bool:
        """Return False if this class never had free seats that were too few for some group."""
        return seats > 1 and number in self._short

    def before(self, number: int, turn: int) -> tuple[int, ...]:
        """Return the free seats before this turn, exact as to which group sizes fit and whether any seat is free."""
        return self._left[bisect_left(self._moments, (number, turn)) - 1]


@dataclass(frozen=True)
class Turns:
    """Turns of one entry: its rank from 0, its choices (class, seats) in the order in which it tries them.

    `barring[c]`: classes that cannot be taken by an entry that holds class c, c among them. `held`: classes that it
    held before the draw. An entry that reached the limit of wins has no turns to ask about.
    """

    rank: int
    entries: int
    choices: Sequence[tuple[int, int]]
    barring: Sequence[frozenset[int]]
    held: frozenset[int] = frozenset()

    def met_too_few(self, number: int, free: FreeSeats) -> bool:
        """Return True if the entry tried this class in a turn in which it had seats, but fewer than asked for."""
        barred = frozenset(name for one in self.held for name in self.barring[one])
        for at in range(1, free.rounds + 1):
            left = free.before(at, self.rank if at % 2 else self.entries - 1 - self.rank)
            for name, seats in self.choices:
                if name in barred:
                    continue
                if left[name] >= seats:
                    barred |= self.barring[name]
                    break
                if name == number and left[name] > 0:
                    return True
        return False
