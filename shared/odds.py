"""Probability that a group gets its places, by its size, under the draw's rule for groups. Pure.

A group is all or none, and one that no longer fits is passed over (`docs/protocols.md` §2, "Allocation"). So in a
class with few seats a larger group meets a last seat that is too small for it more often. Computed exactly: what
counts of a drawn order is only the order among the groups that still fit, and any of those is equally likely next.

Each group is taken to ask for this class only: other choices, `max_wins` and clashes are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FEW_SEATS: Final = 30
"""Below so many seats a class shows odds: above, the group's size hardly matters."""

_Won = tuple[int, ...]


@dataclass(frozen=True)
class Demand:
    """Number of groups that ask for a class, by the seats of a group."""

    groups: Mapping[int, int]

    @property
    def seats(self) -> int:
        return sum(size * count for size, count in self.groups.items())


def odds(capacity: int, demand: Demand) -> dict[int, float]:
    """Return the probability (0 … 1) that one group gets its places, by group size."""
    sizes = sorted(size for size, count in demand.groups.items() if count > 0)
    counts = [demand.groups[size] for size in sizes]
    won = _expected_wins(capacity, sizes, counts)
    return {size: won[at] / counts[at] for at, size in enumerate(sizes)}


def assumed(capacity: int, sizes: Sequence[int], times: int) -> Demand:
    """`times` as many seats asked for as there are, by as many groups of each size; at least one group of each."""
    each = max(1, round(times * capacity / sum(set(sizes))))
    return Demand(dict.fromkeys(sorted(set(sizes)), each))


def _expected_wins(capacity: int, sizes: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Expected number of winning groups of each size; `states` holds the probability of each way to have won so far.

    Groups that no longer fit never fit again, so they are left out: few states remain whatever the demand is.
    """
    expected = [0.0] * len(sizes)
    states: dict[_Won, float] = {(0,) * len(sizes): 1.0}
    while states:
        following: dict[_Won, float] = {}
        for won, chance in states.items():
            for at, share in _next(won, capacity, sizes, counts):
                expected[at] += chance * share
                more = (*won[:at], won[at] + 1, *won[at + 1 :])
                following[more] = following.get(more, 0.0) + chance * share
        states = following
    return expected


def _next(won: _Won, capacity: int, sizes: Sequence[int], counts: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Which size wins next, with its probability; nothing where no group fits any more."""
    left = capacity - sum(size * number for size, number in zip(sizes, won, strict=True))
    fitting = [(at, counts[at] - won[at]) for at, size in enumerate(sizes) if size <= left and counts[at] > won[at]]
    waiting = sum(number for _, number in fitting)
    for at, number in fitting:
        yield at, number / waiting
