"""States of a place after the draw and the moves between them, as tables. Every change is checked against them. Pure.

A place belongs to one entry and one class. Moves appear in the transcript's history under the same name.
"""

from enum import StrEnum
from typing import Final


class PlaceState(StrEnum):
    WAITING = "waiting"
    """On the waiting list, by `position`."""
    OFFERED = "offered"
    """Seats are reserved until `answer_by`."""
    HELD = "held"
    GONE = "gone"
    """Given up or lost for good; `why` is the move that ended it."""


class Move(StrEnum):
    """Move of a place, by its name in the history."""

    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    EXPIRED = "expired"
    RELEASED = "released"
    """No person of the place came by the set time of the day (`no-show`)."""
    PASSED_OVER = "passed-over"
    """The entry can no longer take it: it holds `max_wins` classes (`limit`) or one at the same time (`clash`)."""
    OFFERED = "offered"
    PROMOTED = "promoted"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    """A place for a wrongly refused entry; the only move that creates a place."""


S = PlaceState

BEFORE: Final[dict[Move, frozenset[PlaceState]]] = {
    Move.WITHDRAWN: frozenset({S.HELD, S.OFFERED, S.WAITING}),
    Move.DECLINED: frozenset({S.OFFERED}),
    Move.EXPIRED: frozenset({S.OFFERED}),
    Move.RELEASED: frozenset({S.HELD}),
    Move.PASSED_OVER: frozenset({S.WAITING}),
    Move.OFFERED: frozenset({S.WAITING}),
    Move.PROMOTED: frozenset({S.WAITING}),
    Move.ACCEPTED: frozenset({S.OFFERED}),
    Move.CORRECTED: frozenset(),
}
"""States from which each move is allowed."""

AFTER: Final[dict[Move, PlaceState]] = {
    Move.WITHDRAWN: S.GONE,
    Move.DECLINED: S.GONE,
    Move.EXPIRED: S.GONE,
    Move.RELEASED: S.GONE,
    Move.PASSED_OVER: S.GONE,
    Move.OFFERED: S.OFFERED,
    Move.PROMOTED: S.HELD,
    Move.ACCEPTED: S.HELD,
}
"""State after each move. A correction leads to `held` or `waiting`, as the draw would have."""

TAKES_SEATS: Final = frozenset({S.HELD, S.OFFERED})
