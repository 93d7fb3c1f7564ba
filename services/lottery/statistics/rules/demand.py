"""Who asked for what, and what rows of it: counts by class, channel and group size. Pure; people do not occur.

Entries are applications; seats are people. A class's demand counts every choice, whatever its rank.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.odds import FEW_SEATS, Demand, odds

CHANNELS: Final = ("web", "fax", "post")


@dataclass(frozen=True)
class DemandRow:
    """So many entries of one channel ask for so many seats each in one class."""

    class_id: str
    channel: str
    seats: int
    entries: int


@dataclass(frozen=True)
class ClassDemand:
    """`groups`: entries by the seats they ask for."""

    class_id: str
    capacity: int
    by_channel: Mapping[str, int]
    groups: Mapping[int, int]

    @property
    def entries(self) -> int:
        return sum(self.groups.values())

    @property
    def seats(self) -> int:
        return Demand(self.groups).seats

    @property
    def times(self) -> float:
        """Seats asked for ÷ seats."""
        return self.seats / self.capacity

    @property
    def odds(self) -> Mapping[int, float]:
        """By group size, where seats are few; of this class by itself, as `shared.odds` has it."""
        return odds(self.capacity, Demand(self.groups)) if self.capacity < FEW_SEATS else {}


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, each part in hundredths of the longest: places, those taken up, those asked for beyond."""

    class_id: str
    places: float
    filled: float
    beyond: float


def demand(capacities: Mapping[str, int], rows: Iterable[DemandRow]) -> tuple[ClassDemand, ...]:
    """One line per class of the campaign, in its order, also where nobody asked; unknown classes are left out."""
    channels: dict[str, Counter[str]] = {name: Counter() for name in capacities}
    groups: dict[str, Counter[int]] = {name: Counter() for name in capacities}
    for each in rows:
        if each.class_id in capacities:
            channels[each.class_id][each.channel] += each.entries
            groups[each.class_id][each.seats] += each.entries
    return tuple(
        ClassDemand(name, capacity, {channel: channels[name][channel] for channel in CHANNELS}, dict(groups[name]))
        for name, capacity in capacities.items()
    )


def chart(lines: Sequence[ClassDemand]) -> tuple[Bar, ...]:
    """All bars to one scale."""
    longest = max((max(each.seats, each.capacity) for each in lines), default=1)
    return tuple(
        Bar(
            each.class_id,
            100 * each.capacity / longest,
            100 * min(each.seats, each.capacity) / longest,
            100 * max(each.seats - each.capacity, 0) / longest,
        )
        for each in lines
    )


@dataclass(frozen=True)
class OutcomeRow:
    """So many entries have this outcome in this class, with so many seats in all."""

    class_id: str
    outcome: str
    entries: int
    seats: int


@dataclass(frozen=True)
class ClassResult:
    """`seats` are those won, never more than `capacity`; the rest are entries."""

    class_id: str
    capacity: int
    seats: int
    won: int
    waiting: int
    lost: int
    refused: int

    @property
    def free(self) -> int:
        return self.capacity - self.seats


def results(capacities: Mapping[str, int], rows: Iterable[OutcomeRow]) -> tuple[ClassResult, ...]:
    """One line per class of the campaign, in its order."""
    entries: Counter[tuple[str, str]] = Counter()
    seats: Counter[str] = Counter()
    for each in rows:
        entries[each.class_id, each.outcome] += each.entries
        seats[each.class_id] += each.seats if each.outcome == "won" else 0
    return tuple(
        ClassResult(
            class_id=name,
            capacity=capacity,
            seats=seats[name],
            won=entries[name, "won"],
            waiting=entries[name, "waiting"],
            lost=entries[name, "lost"],
            refused=entries[name, "refused"],
        )
        for name, capacity in capacities.items()
    )


@dataclass(frozen=True)
class ClassPlaces:
    """After the draw: `held` and `offered` are seats, `waiting` and `gone` entries; corrections add to `capacity`."""

    class_id: str
    capacity: int
    held: int
    offered: int
    waiting: int
    gone: int

    @property
    def free(self) -> int:
        return self.capacity - self.held - self.offered


def places(capacities: Mapping[str, int], rows: Iterable[OutcomeRow]) -> tuple[ClassPlaces, ...]:
    """One line per class of the campaign, in its order; outcomes are the states of places."""
    known = {(each.class_id, each.outcome): each for each in rows}
    none = OutcomeRow("", "", 0, 0)
    return tuple(
        ClassPlaces(
            class_id=name,
            capacity=capacity,
            held=known.get((name, "held"), none).seats,
            offered=known.get((name, "offered"), none).seats,
            waiting=known.get((name, "waiting"), none).entries,
            gone=known.get((name, "gone"), none).entries,
        )
        for name, capacity in capacities.items()
    )
