"""Who is next, and whether a history was right: places after the draw (`docs/protocols.md` §2, "After the draw"). Pure.

Freed seats go to the head of the waiting list. A group at the head that does not fit holds them until `hold_until`;
after that they go to the first who fits, and the group keeps its position. Nobody is asked who holds, or has been
offered, so much that this class would be too much. The office and the verifier decide with the same functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from services.lottery.promotion.states import BEFORE, TAKES_SEATS, TO, Move, PlaceState
from services.lottery.rules import ClassRule, PromotionRules
from shared.errors import KujiError

Obstacle = Literal["limit", "clash"]


class BadMove(KujiError):  # noqa: N818  (says what is the case)
    """The rules do not allow this; the text says which."""


@dataclass(frozen=True)
class Place:
    """`position`: on the waiting list, from 1; `answer_by`: while offered."""

    seats: int
    state: PlaceState
    position: int | None = None
    answer_by: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """Whose turn it is. `past`: who stands before it on the list and does not fit."""

    entry: str
    class_id: str
    seats: int
    past: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One event of the history that concerns a place.

    Of a correction: `extra` seats that it adds to the class, `choices` as the entry's row would have said them.
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
class Standing:
    """Places as they stand, of all classes or of those that somebody looks at. Entries are hex."""

    classes: Mapping[str, ClassRule]
    max_wins: int
    rules: PromotionRules
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    _of: dict[str, set[str]] = field(default_factory=dict)
    _line: dict[str, dict[str, None]] = field(default_factory=dict)

    def put(self, entry: str, class_id: str, place: Place) -> None:
        """A place as it is now. Waiting ones of a class are put in the order of their positions."""
        before = self.places.get((entry, class_id))
        self.places[entry, class_id] = place
        self._of.setdefault(entry, set()).add(class_id)
        self.taken[class_id] = self.taken.get(class_id, 0) + _taken(place) - _taken(before)
        line = self._line.setdefault(class_id, {})
        if place.state is PlaceState.WAITING:
            line[entry] = None
        else:
            line.pop(entry, None)

    def waiting(self, class_id: str) -> Iterable[str]:
        return self._line.get(class_id, {})

    def free(self, class_id: str) -> int:
        return self.classes[class_id].capacity + self.extra.get(class_id, 0) - self.taken.get(class_id, 0)

    def obstacle(self, entry: str, class_id: str, states: frozenset[PlaceState] = TAKES_SEATS) -> Obstacle | None:
        """What keeps an entry from taking a class, by those of its other places that are in `states`."""
        own = (name for name in self._of.get(entry, ()) if name != class_id)
        others = [name for name in own if self.places[entry, name].state in states]
        if len(others) >= self.max_wins:
            return "limit"
        return "clash" if any(self._overlap(class_id, name) for name in others) else None

    def turn(self, class_id: str, at: datetime) -> Turn | None:
        """Whom to ask now; None where nobody waits who fits, or a group still holds the seats."""
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
        """Somebody who waits and is there, once nobody is asked any more. Raises BadMove."""
        place = self.places.get((entry, class_id))
        if place is None or place.state is not PlaceState.WAITING:
            raise BadMove("this entry does not wait for the class")
        if at < self.rules.last_answer(self.classes[class_id]):
            raise BadMove("seats are still offered in the order of the waiting list")
        if self.obstacle(entry, class_id) is not None or place.seats > self.free(class_id):
            raise BadMove("there are not enough free seats, or this entry may not take another class")
        ahead = list(self._may_take(class_id))
        return Turn(entry, class_id, place.seats, tuple(ahead[: ahead.index(entry)]))

    def impossible(self, entry: str) -> list[tuple[str, Obstacle]]:
        """The classes that an entry waits for and, by what it holds, can no longer take."""
        waits = [n for n in sorted(self._of.get(entry, ())) if self.places[entry, n].state is PlaceState.WAITING]
        found = ((name, self.obstacle(entry, name, frozenset({PlaceState.HELD}))) for name in waits)
        return [(name, obstacle) for name, obstacle in found if obstacle is not None]

    def passed_over(self, entry: str, at: datetime) -> list[Step]:
        """Waiting for what one can no longer take ends."""
        return [
            Step(Move.PASSED_OVER, at, obstacle, entry, name, self.places[entry, name].seats)
            for name, obstacle in self.impossible(entry)
        ]

    def extra_needed(self, class_id: str, seats: int) -> int:
        """Seats that a correction adds: none where seats are free and nobody waits for them, else all it takes."""
        unclaimed = self.free(class_id) >= seats and not self._line.get(class_id)
        return 0 if unclaimed else seats

    def last_position(self, class_id: str) -> int:
        found = (place.position or 0 for (_, name), place in self.places.items() if name == class_id)
        return max(found, default=0)

    def apply(self, step: Step) -> None:
        """One step on. Raises BadMove where the rules do not allow it."""
        if step.class_id not in self.classes:
            raise BadMove("the class does not exist")
        if step.move is Move.CORRECTED:
            self._correct(step)
            return
        place = self.places.get((step.entry, step.class_id))
        if place is None or place.state not in BEFORE[step.move] or place.seats != step.seats:
            raise BadMove(f"{step.move} is not possible for this place")
        self._check(step, place)
        self.put(step.entry, step.class_id, replace(place, state=TO[step.move], answer_by=step.answer_by))

    def _check(self, step: Step, place: Place) -> None:
        """What each move demands beyond the table of states."""
        rule, turn = self.classes[step.class_id], Turn(step.entry, step.class_id, step.seats, step.past)
        if step.move in {Move.OFFERED, Move.PROMOTED}:
            here = step.move is Move.PROMOTED and step.reason == "present"
            due = self.present(step.entry, step.class_id, step.at) if here else self.turn(step.class_id, step.at)
            if due != turn:
                raise BadMove("it was somebody else's turn")
            asked = self.rules.answer_by(rule, step.at) if step.move is Move.OFFERED else None
            if step.answer_by != asked or not (here or (asked is not None) == (self.rules.offer_hours > 0)):
                raise BadMove("the time to answer is not that of the manifest")
            return
        if step.move is Move.PASSED_OVER:
            if (step.class_id, step.reason) not in self.impossible(step.entry):
                raise BadMove("this entry could still take the class")
            return
        late = place.answer_by is not None and step.at >= place.answer_by
        if (step.move is Move.ACCEPTED and late) or (step.move is Move.EXPIRED and not late):
            raise BadMove("the time to answer was over" if late else "the time to answer was not over")
        if step.move is Move.RELEASED and step.at < rule.starts:
            raise BadMove("released before the class began")

    def _correct(self, step: Step) -> None:
        if (step.entry, step.class_id) in self.places or step.state not in {PlaceState.HELD, PlaceState.WAITING}:
            raise BadMove("a correction begins a place that was not there")
        if step.state is PlaceState.WAITING:
            if step.extra:
                raise BadMove("who waits needs no seats")
            place = Place(step.seats, PlaceState.WAITING, self.last_position(step.class_id) + 1)
        else:
            if step.extra != self.extra_needed(step.class_id, step.seats):
                raise BadMove("the correction does not add the seats that it takes")
            place = Place(step.seats, PlaceState.HELD)
        self.extra[step.class_id] = self.extra.get(step.class_id, 0) + step.extra
        self.put(step.entry, step.class_id, place)

    def _may_take(self, class_id: str) -> Iterable[str]:
        return (entry for entry in self.waiting(class_id) if self.obstacle(entry, class_id) is None)

    def _overlap(self, one: str, other: str) -> bool:
        return (
            self.classes[one].starts < self.classes[other].ends and self.classes[other].starts < self.classes[one].ends
        )


def _taken(place: Place | None) -> int:
    return place.seats if place is not None and place.state in TAKES_SEATS else 0


def drawn(
    winners: Mapping[str, Sequence[str]],
    waiting: Mapping[str, Sequence[str]],
    seats: Mapping[tuple[str, str], int],
    standing: Standing,
) -> Standing:
    """`standing`, with the places that the draw gave; `seats` by entry (hex) and class."""
    for name, entries in winners.items():
        for entry in entries:
            standing.put(entry, name, Place(seats[entry, name], PlaceState.HELD))
    for name, entries in waiting.items():
        for position, entry in enumerate(entries, 1):
            standing.put(entry, name, Place(seats[entry, name], PlaceState.WAITING, position))
    return standing
