"""Correction of a wrong refusal: the places that the draw would have given to the refused entry. Pure.

Frozen list and K stay the same, so staff decide nothing: the draw is computed again with one more entry. The entry
gets the places of that draw, as seats added to the classes. All other entries keep their places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.lottery.allocation.allocator import Allocation, LostReason, allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList, format_choices
from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.promotion.states import PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.rules import ClassRule, Rules


@dataclass(frozen=True)
class CorrectedResult:
    """Result that the draw would have given: states of places by class, and reasons by lost class."""

    given: Mapping[str, PlaceState]
    lost: Mapping[str, LostReason]


def compute_correction(
    key: bytes, frozen: FrozenList, entry: Entry, classes: Sequence[ClassRule], rules: Rules
) -> CorrectedResult:
    """Return the result of the refused entry. Raises ValueError if the entry is in the list."""
    if frozen.position(entry.id) is not None:
        raise ValueError("the entry is in the list")
    listed = FrozenList.of(sorted([*frozen.entries(), entry], key=lambda one: one.id))
    position = listed.position(entry.id)
    if position is None:
        raise ValueError("the entry is not in the list that was made with it")
    result = allocate(key, listed, classes, rules)
    won = {name: PlaceState.HELD for name, ids in result.winners.items() if position in ids}
    given = won | {name: PlaceState.WAITING for name, ids in result.waiting.items() if position in ids}
    others = [(name, seats) for name, seats in entry.choices if name not in given]
    rank = _rank(result, position) if others else 0
    return CorrectedResult(given, {name: result.lost(position, rank, name, seats) for name, seats in others})


def _rank(result: Allocation, position: int) -> int:
    """Return the rank, from 1, of the entry at this position of the list."""
    return int(np.flatnonzero(result.order.run(0, len(result.order)) == position)[0]) + 1


def corrections_hold(
    key: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], rules: Rules, events: Sequence[PlaceEvent]
) -> bool:
    """Return True if one entry's corrections are exactly the places that the draw would have given.

    Computed by the reference allocator, for the verifier. All corrections of an entry must name the same choices: other
    choices would have made another draw.
    """
    if len({event.choices for event in events}) != 1:
        return False
    entry = Entry(bytes.fromhex(events[0].entry), _choices(events[0].choices))
    chosen = dict(entry.choices)
    if any(one.id == entry.id for one in entries) or any(chosen.get(e.class_id) != e.seats for e in events):
        return False
    result = allocate_entry_by_entry(key, [*entries, entry], classes, rules)
    given = {name: PlaceState.HELD for name, ids in result.winners.items() if entry.id in ids}
    given |= {name: PlaceState.WAITING for name, ids in result.waiting.items() if entry.id in ids}
    return {event.class_id: event.state for event in events} == given


def format_entry_choices(entry: Entry) -> str:
    """Format the choices as in a row of the frozen list."""
    return format_choices(entry.choices)


def _choices(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(seats)) for name, seats in (choice.split(":") for choice in text.split(",")))
