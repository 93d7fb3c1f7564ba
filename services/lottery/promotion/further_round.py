"""Further round (追加抽選): seats that stay free are drawn once more, by the rules of the draw (ADR 37). Pure.

A class takes part if it has free seats, no entry waits for it, and it starts after the randomness exists. No entry
loses a place by a further round. The lottery and the verifier decide with the same functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.lottery.allocation.entries import Choice
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import Obstacle, Place, WaitingLists
from services.lottery.record.taken_over import HELD, TakenPlace
from services.lottery.rules import ClassRule, Rules, Scope

Choices = tuple[Choice, ...]

GIVEN_UP: Final = frozenset({Move.WITHDRAWN, Move.DECLINED, Move.EXPIRED, Move.RELEASED})
"""Moves after which an entry takes no part in a further round of the same class: it did not want the place."""


def seats_to_draw(
    classes: Iterable[ClassRule], free: Mapping[str, int], waiting: Mapping[str, int], drawn_from: datetime
) -> dict[str, int]:
    """Return the seats of a further round by class; a class that takes no part is not named.

    `free`: free seats, `waiting`: waiting entries, by class; `drawn_from`: time before which nothing can be drawn.
    """
    return {
        rule.id: free[rule.id]
        for rule in classes
        if free.get(rule.id, 0) > 0 and not waiting.get(rule.id, 0) and rule.starts > drawn_from
    }


@dataclass(frozen=True)
class EntryPlaces:
    """Places of one entry before a further round: classes that it holds, and classes that it gave up."""

    held: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Participation:
    """Rule of who takes part in a further round, and for which classes. `free`: seats to be drawn by class."""

    classes: Mapping[str, ClassRule]
    rules: Rules
    scope: Scope
    free: Mapping[str, int]

    def choices(self, asked: Choices, eligible: Choices, own: EntryPlaces) -> Choices:
        """Return the choices of an entry in the round; empty if it takes no part.

        `asked`: its own choices in order; `eligible`: choices that it could have made besides. These follow its own
        ones, and only where everybody takes part. Then entries that hold a place take no part.
        """
        if self.scope == "everybody" and own.held:
            return ()
        wanted = (*asked, *eligible) if self.scope == "everybody" else asked
        return tuple(choice for choice in wanted if self._may_take(choice[0], own))

    def _may_take(self, name: str, own: EntryPlaces) -> bool:
        if name not in self.free or name in own.held or name in own.given_up:
            return False
        overlaps = any(_overlap(self.classes[name], self.classes[held]) for held in own.held)
        return len(own.held) < self.rules.max_wins and not overlaps


def take_over(lists: WaitingLists, places: Iterable[TakenPlace]) -> None:
    """Add the places that the draw before left. `places`: in the order of their text."""
    for one in places:
        is_held = one.position == HELD
        state = PlaceState.HELD if is_held else PlaceState.WAITING
        lists.put(one.entry, one.class_id, Place(one.seats, state, None if is_held else one.position))


def places_left(lists: WaitingLists) -> list[TakenPlace]:
    """Return the held and waiting places. Raises ValueError while a place is offered: no round begins then."""
    if any(place.state is PlaceState.OFFERED for place in lists.places.values()):
        raise ValueError("a place is still offered")
    return sorted(
        TakenPlace(name, HELD if place.state is PlaceState.HELD else place.position or 0, entry, place.seats)
        for (entry, name), place in lists.places.items()
        if place.state is not PlaceState.GONE
    )


def end_waiting(lists: WaitingLists, winners: Iterable[str]) -> list[tuple[str, str, Obstacle]]:
    """End the waiting that the winners' places forbid now. Return entry, class and obstacle of each place."""
    ended = [(entry, name, obstacle) for entry in sorted(set(winners)) for name, obstacle in lists.impossible(entry)]
    for entry, name, _ in ended:
        lists.put(entry, name, replace(lists.places[entry, name], state=PlaceState.GONE))
    return ended


def _overlap(one: ClassRule, other: ClassRule) -> bool:
    return one.starts < other.ends and other.starts < one.ends
