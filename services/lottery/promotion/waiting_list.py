"""Waiting lists after the draw: order of promotion, and checks of events (`docs/protocols.md` §2). Pure.

Freed seats go to the head of the waiting list. A group at the head that does not fit holds them until `hold_until`;
after that they go to the first entry that fits, and the group keeps its position. An entry whose held or offered places
exclude the class is skipped. The lottery and the verifier decide with the same functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from services.lottery.promotion.states import AFTER, BEFORE, TAKES_SEATS, Move, PlaceState
from services.lottery.rules import ClassRule, PromotionRules
from shared.errors import KujiError

Obstacle = Literal["limit", "clash"]


class InvalidMoveError(KujiError):
    """Raised when the rules do not allow a move; the text says which rule."""


@dataclass(frozen=True)
class Place:
    """State of one place. `position`: on the waiting list, from 1; `answer_by`: while offered."""

    seats: int
    state: PlaceState
    position: int | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """Entry that may take free seats now. `past`: entries before it on the list that do not fit."""

    entry: str
    class_id: str
    seats: int
    past: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaceEvent:
    """Event of the history that concerns a place.

    Of a correction: `extra` seats that it adds to the class, `choices` in the form of a row.
    """

    move: Move
    at: datetime
    reason: str
    entry: str
    class_id: str
    seats: int
    state: PlaceState | None = None
    answer_by: datetime | None = None
    past: tuple[str, ...] = ()
    extra: int = 0
    choices: str = ""


@dataclass
class WaitingLists:
    """Places of all classes, or of those that were loaded. Entries are ids in hex."""

    classes: Mapping[str, ClassRule]
    max_wins: int
    rules: PromotionRules
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    _of: dict[str, set[str]] = field(default_factory=dict)
    _queue: dict[str, dict[str, None]] = field(default_factory=dict)

    def put(self, entry: str, class_id: str, place: Place) -> None:
        """Add or replace a place. Call it for waiting places of a class in the order of their positions."""
        before = self.places.get((entry, class_id))
        self.places[entry, class_id] = place
        self._of.setdefault(entry, set()).add(class_id)
        self.taken[class_id] = self.taken.get(class_id, 0) + _taken(place) - _taken(before)
        queue = self._queue.setdefault(class_id, {})
        if place.state is PlaceState.WAITING:
            queue[entry] = None
        else:
            queue.pop(entry, None)

    def waiting(self, class_id: str) -> Iterable[str]:
        return self._queue.get(class_id, {})

    def free(self, class_id: str) -> int:
        return self.classes[class_id].capacity + self.extra.get(class_id, 0) - self.taken.get(class_id, 0)

    def obstacle(self, entry: str, class_id: str, states: frozenset[PlaceState] = TAKES_SEATS) -> Obstacle | None:
        """Return the obstacle that the entry's other places in `states` are to a class; None if there is none."""
        own = (name for name in self._of.get(entry, ()) if name != class_id)
        others = [name for name in own if self.places[entry, name].state in states]
        if len(others) >= self.max_wins:
            return "limit"
        return "clash" if any(self._overlap(class_id, name) for name in others) else None

    def turn(self, class_id: str, at: datetime) -> Turn | None:
        """Return the next turn; None if no waiting entry fits or a group still holds the seats."""
        rule, free = self.classes[class_id], self.free(class_id)
        if free <= 0 or at >= self.rules.last_answer(rule):
            return None
        past: list[str] = []
        for entry in self._may_take(class_id):
            seats = self.places[entry, class_id].seats
            if seats <= free:
                return Turn(entry, class_id, seats, tuple(past))
            if at < self.rules.holds_until(rule):
                return None
            past.append(entry)
        return None

    def present(self, entry: str, class_id: str, at: datetime) -> Turn:
        """Return the turn of a waiting entry that is present after the last time to answer. Raises InvalidMoveError."""
        place = self.places.get((entry, class_id))
        if place is None or place.state is not PlaceState.WAITING:
            raise InvalidMoveError("this entry does not wait for the class")
        if at < self.rules.last_answer(self.classes[class_id]):
            raise InvalidMoveError("seats are still offered in the order of the waiting list")
        if self.obstacle(entry, class_id) is not None or place.seats > self.free(class_id):
            raise InvalidMoveError("there are not enough free seats, or this entry may not take another class")
        ahead = list(self._may_take(class_id))
        return Turn(entry, class_id, place.seats, tuple(ahead[: ahead.index(entry)]))

    def impossible(self, entry: str) -> list[tuple[str, Obstacle]]:
        """Return the classes that an entry waits for and can no longer take because of its held places."""
        waits = [n for n in sorted(self._of.get(entry, ())) if self.places[entry, n].state is PlaceState.WAITING]
        found = ((name, self.obstacle(entry, name, frozenset({PlaceState.HELD}))) for name in waits)
        return [(name, obstacle) for name, obstacle in found if obstacle is not None]

    def passed_over(self, entry: str, at: datetime) -> list[PlaceEvent]:
        """Return the events that end waiting for classes that the entry can no longer take."""
        return [
            PlaceEvent(Move.PASSED_OVER, at, obstacle, entry, name, self.places[entry, name].seats)
            for name, obstacle in self.impossible(entry)
        ]

    def extra_needed(self, class_id: str, seats: int) -> int:
        """Return the seats that a correction adds: 0 if free seats suffice and no entry waits, else `seats`."""
        unclaimed = self.free(class_id) >= seats and not self._queue.get(class_id)
        return 0 if unclaimed else seats

    def last_position(self, class_id: str) -> int:
        found = (place.position or 0 for (_, name), place in self.places.items() if name == class_id)
        return max(found, default=0)

    def apply(self, event: PlaceEvent) -> None:
        """Apply an event. Raises InvalidMoveError if the rules do not allow it."""
        if event.class_id not in self.classes:
            raise InvalidMoveError("the class does not exist")
        if event.move is Move.CORRECTED:
            self._correct(event)
            return
        place = self.places.get((event.entry, event.class_id))
        if place is None or place.state not in BEFORE[event.move] or place.seats != event.seats:
            raise InvalidMoveError(f"{event.move} is not possible for this place")
        self._check(event, place)
        self.put(event.entry, event.class_id, replace(place, state=AFTER[event.move], answer_by=event.answer_by))

    def _check(self, event: PlaceEvent, place: Place) -> None:
        """Check what a move requires besides the table of states."""
        rule, turn = self.classes[event.class_id], Turn(event.entry, event.class_id, event.seats, event.past)
        if event.move in {Move.OFFERED, Move.PROMOTED}:
            here = event.move is Move.PROMOTED and event.reason == "present"
            due = self.present(event.entry, event.class_id, event.at) if here else self.turn(event.class_id, event.at)
            if due != turn:
                raise InvalidMoveError("another entry was next")
            asked = self.rules.answer_by(rule, event.at) if event.move is Move.OFFERED else None
            if event.answer_by != asked or not (here or (asked is not None) == (self.rules.offer_hours > 0)):
                raise InvalidMoveError("the time to answer is not that of the manifest")
            return
        if event.move is Move.PASSED_OVER:
            if (event.class_id, event.reason) not in self.impossible(event.entry):
                raise InvalidMoveError("this entry could still take the class")
            return
        late = place.answer_by is not None and event.at >= place.answer_by
        if (event.move is Move.ACCEPTED and late) or (event.move is Move.EXPIRED and not late):
            raise InvalidMoveError("the time to answer was over" if late else "the time to answer was not over")
        if event.move is Move.RELEASED and event.at < rule.starts:
            raise InvalidMoveError("released before the class began")

    def _correct(self, event: PlaceEvent) -> None:
        if (event.entry, event.class_id) in self.places or event.state not in {PlaceState.HELD, PlaceState.WAITING}:
            raise InvalidMoveError("a correction begins a place that was not there")
        if event.state is PlaceState.WAITING:
            if event.extra:
                raise InvalidMoveError("a waiting place adds no seats")
            place = Place(event.seats, PlaceState.WAITING, self.last_position(event.class_id) + 1)
        else:
            if event.extra != self.extra_needed(event.class_id, event.seats):
                raise InvalidMoveError("the correction does not add the seats that it takes")
            place = Place(event.seats, PlaceState.HELD)
        self.extra[event.class_id] = self.extra.get(event.class_id, 0) + event.extra
        self.put(event.entry, event.class_id, place)

    def _may_take(self, class_id: str) -> Iterable[str]:
        return (entry for entry in self.waiting(class_id) if self.obstacle(entry, class_id) is None)

    def _overlap(self, one: str, other: str) -> bool:
        return (
            self.classes[one].starts < self.classes[other].ends and self.classes[other].starts < self.classes[one].ends
        )


def _taken(place: Place | None) -> int:
    return place.seats if place is not None and place.state in TAKES_SEATS else 0


def add_draw_result(
    winners: Mapping[str, Sequence[str]],
    waiting: Mapping[str, Sequence[str]],
    seats: Mapping[tuple[str, str], int],
    lists: WaitingLists,
) -> WaitingLists:
    """Add the places that the draw gave to `lists` and return it. `seats`: by entry (hex) and class."""
    for name, entries in winners.items():
        for entry in entries:
            lists.put(entry, name, Place(seats[entry, name], PlaceState.HELD))
    for name, entries in waiting.items():
        for position, entry in enumerate(entries, 1):
            lists.put(entry, name, Place(seats[entry, name], PlaceState.WAITING, position))
    return lists
