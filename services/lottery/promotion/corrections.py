"""What the draw would have given somebody who was wrongly kept out of it. Pure.

The list stays as it was and K stays as it was, so nobody decides: the draw is computed again with this one entry more,
and what it gets there it gets here, as seats added to the class. Everybody else keeps what they have.
"""

from collections.abc import Sequence

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList, row_choices
from services.lottery.allocation.reference_allocator import allocate_plainly
from services.lottery.promotion.states import PlaceState
from services.lottery.promotion.waiting_list import Step
from services.lottery.rules import ClassRule, Rules


def would_have(
    key: bytes, frozen: FrozenList, entry: Entry, classes: Sequence[ClassRule], rules: Rules
) -> dict[str, PlaceState]:
    """By class; a class that it would have lost is not there. ValueError where the entry is in the list."""
    if frozen.position(entry.id) is not None:
        raise ValueError("the entry is in the list")
    listed = FrozenList.of(sorted([*frozen.entries(), entry], key=lambda each: each.id))
    position = listed.position(entry.id)
    result = allocate(key, listed, classes, rules)
    won = {name: PlaceState.HELD for name, ids in result.winners.items() if position in ids}
    return won | {name: PlaceState.WAITING for name, ids in result.waiting.items() if position in ids}


def rightly(
    key: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], rules: Rules, steps: Sequence[Step]
) -> bool:
    """The same for a verifier, entry by entry: whether one entry's corrections are all that the draw would have given.

    They name the same choices each time: with others the draw would have been another one.
    """
    if len({step.choices for step in steps}) != 1:
        return False
    entry = Entry(bytes.fromhex(steps[0].entry), _choices(steps[0].choices))
    asked = dict(entry.choices)
    if any(each.id == entry.id for each in entries) or any(asked.get(step.class_id) != step.seats for step in steps):
        return False
    result = allocate_plainly(key, [*entries, entry], classes, rules)
    given = {name: PlaceState.HELD for name, ids in result.winners.items() if entry.id in ids}
    given |= {name: PlaceState.WAITING for name, ids in result.waiting.items() if entry.id in ids}
    return {step.class_id: step.state for step in steps} == given


def said(entry: Entry) -> str:
    """The choices as the entry's row would have said them."""
    return row_choices(entry.choices)


def _choices(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, int(seats)) for name, seats in (each.split(":") for each in text.split(",")))
