"""Sum up demand, results and places by class, channel and group size. Pure; the counts name no person.

Entries are applications; seats are people. The demand for a class counts each choice of it, at any rank.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from services.lottery.allocation.allocator import LostReason
from shared.odds import FEW_SEATS, Demand, odds

CHANNELS: Final = ("web", "fax", "post")
LOST_REASONS: Final[tuple[LostReason, ...]] = get_args(LostReason)


@dataclass(frozen=True)
class DemandRow:
    """Number of entries of one channel that ask for this number of seats in one class."""

    class_id: str
    channel: str
    seats: int
    entries: int


@dataclass(frozen=True)
class ClassDemand:
    """Demand for one class. `groups`: entries by the number of seats they ask for."""

    class_id: str
    capacity: int
    by_channel: Mapping[str, int]
    groups: Mapping[int, int]

    @property
    def entries(self) -> int:
        """Entries that ask for the class."""
        return sum(self.groups.values())

    @property
    def seats(self) -> int:
        """Seats that these entries ask for."""
        return Demand(self.groups).seats

    @property
    def times(self) -> float:
        """Seats asked for, divided by the seats there are."""
        return self.seats / self.capacity

    @property
    def odds(self) -> Mapping[int, float]:
        """Odds by group size if the class has few seats, without regard to other classes (`shared.odds`)."""
        return odds(self.capacity, Demand(self.groups)) if self.capacity < FEW_SEATS else {}


@dataclass(frozen=True)
class Bar:
    """Bar of the chart, in hundredths of the longest bar: seats, seats asked for within them, and beyond them."""

    class_id: str
    places: float
    filled: float
    beyond: float


def demand(capacities: Mapping[str, int], rows: Iterable[DemandRow]) -> tuple[ClassDemand, ...]:
    """Return the demand for each class in the campaign's order, also without entries; unknown classes are ignored."""
    channels: dict[str, Counter[str]] = {name: Counter() for name in capacities}
    groups: dict[str, Counter[int]] = {name: Counter() for name in capacities}
    for row in rows:
        if row.class_id in capacities:
            channels[row.class_id][row.channel] += row.entries
            groups[row.class_id][row.seats] += row.entries
    return tuple(
        ClassDemand(name, capacity, {channel: channels[name][channel] for channel in CHANNELS}, dict(groups[name]))
        for name, capacity in capacities.items()
    )


def chart(lines: Sequence[ClassDemand]) -> tuple[Bar, ...]:
    """Return one bar for each class, all to one scale."""
    longest = max((max(line.seats, line.capacity) for line in lines), default=1)
    return tuple(
        Bar(
            line.class_id,
            100 * line.capacity / longest,
            100 * min(line.seats, line.capacity) / longest,
            100 * max(line.seats - line.capacity, 0) / longest,
        )
        for line in lines
    )


@dataclass(frozen=True)
class OutcomeRow:
    """Number of entries with this outcome in one class, and the sum of their seats. `reason`: of a loss or refusal."""

    class_id: str
    outcome: str
    entries: int
    seats: int
    reason: str | None = None


@dataclass(frozen=True)
class ClassResult:
    """Results of one class. `seats` were won, at most `capacity`; the other counts are entries.

    `lost`: by reason, each reason of `LostReason` in its order.
    """

    class_id: str
    capacity: int
    seats: int
    won: int
    waiting: int
    lost: Mapping[LostReason, int]
    refused: int

    @property
    def free(self) -> int:
        """Seats that were not won."""
        return self.capacity - self.seats


def results(capacities: Mapping[str, int], rows: Iterable[OutcomeRow]) -> tuple[ClassResult, ...]:
    """Return the results of each class in the campaign's order."""
    entries: Counter[tuple[str, str]] = Counter()
    seats: Counter[str] = Counter()
    lost: Counter[tuple[str, str | None]] = Counter()
    for row in rows:
        entries[row.class_id, row.outcome] += row.entries
        lost[row.class_id, row.reason] += row.entries if row.outcome == "lost" else 0
        seats[row.class_id] += row.seats if row.outcome == "won" else 0
    return tuple(
        ClassResult(
            class_id=name,
            capacity=capacity,
            seats=seats[name],
            won=entries[name, "won"],
            waiting=entries[name, "waiting"],
            lost={reason: lost[name, reason] for reason in LOST_REASONS},
            refused=entries[name, "refused"],
        )
        for name, capacity in capacities.items()
    )


@dataclass(frozen=True)
class ClassPlaces:
    """Places of one class now: `held` and `offered` are seats, `waiting` and `gone` are entries."""

    class_id: str
    capacity: int
    held: int
    offered: int
    waiting: int
    gone: int

    @property
    def free(self) -> int:
        """Seats that are neither held nor offered."""
        return self.capacity - self.held - self.offered


def places(capacities: Mapping[str, int], rows: Iterable[OutcomeRow]) -> tuple[ClassPlaces, ...]:
    """Return the places of each class in the campaign's order; a row's outcome is the state of its places."""
    by_state = {(row.class_id, row.outcome): row for row in rows}
    none = OutcomeRow("", "", 0, 0)
    return tuple(
        ClassPlaces(
            class_id=name,
            capacity=capacity,
            held=by_state.get((name, "held"), none).seats,
            offered=by_state.get((name, "offered"), none).seats,
            waiting=by_state.get((name, "waiting"), none).entries,
            gone=by_state.get((name, "gone"), none).entries,
        )
        for name, capacity in capacities.items()
    )
