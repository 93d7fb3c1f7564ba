"""Places that a further round takes over from the draw before: the text to which its manifest commits. Pure.

One ASCII line per place, `<class> <position> <32 hex> <seats>` and a line feed: position 0 is a held place, any other
is the position on a waiting list. Lines are in the order of class, position and entry (`docs/spec/draw-2.md` §15).
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final, NamedTuple

HELD: Final = 0
"""Position of a held place."""

_LINE: Final = re.compile(r"([a-z0-9-]+) (0|[1-9][0-9]*) ([0-9a-f]{32}) ([1-9][0-9]*)\n")


class InvalidPlacesError(ValueError):
    """Raised when a text is not a list of places; names the line, counted from 1."""


class TakenPlace(NamedTuple):
    """Place that is held (`position` 0) or waits. Places compare in the order of the text. `entry`: 32 hex digits."""

    class_id: str
    position: int
    entry: str
    seats: int


def write_places(places: Iterable[TakenPlace]) -> str:
    """Write places as text."""
    return "".join(f"{one.class_id} {one.position} {one.entry} {one.seats}\n" for one in sorted(places))


def read_places(text: str) -> list[TakenPlace]:
    """Read places. Raises InvalidPlacesError for another form, a wrong order, or a class that an entry has twice."""
    places: list[TakenPlace] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise InvalidPlacesError(f"line {number} does not have the form of a place")
        places.append(TakenPlace(matched[1], int(matched[2]), matched[3], int(matched[4])))
    for number, (before, after) in enumerate(pairwise(places), 2):
        if before >= after:
            raise InvalidPlacesError(f"line {number} is out of order")
    if len({(place.class_id, place.entry) for place in places}) != len(places):
        raise InvalidPlacesError("an entry has two places in one class")
    return places


def held_classes(places: Iterable[TakenPlace]) -> Mapping[bytes, frozenset[str]]:
    """Return the classes that each entry holds, by the entry id's 16 bytes."""
    held: dict[bytes, set[str]] = {}
    for place in places:
        if place.position == HELD:
            held.setdefault(bytes.fromhex(place.entry), set()).add(place.class_id)
    return {entry: frozenset(names) for entry, names in held.items()}
