"""The states of a place after the draw, and what moves it, as tables; every change is checked against them. Pure.

A place is what one entry has in one class. What moved it stands in the transcript's history under the same name.
"""

from enum import StrEnum
from typing import Final


class PlaceState(StrEnum):
    WAITING = "waiting"
    """On the waiting list, by `position`."""
    OFFERED = "offered"
    """Seats are kept for it until `answer_by`."""
    HELD = "held"
    GONE = "gone"
    """Given up or lost for good; what moved it is its `why`."""


class Move(StrEnum):
    """What happens to a place, as the history calls it."""

    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    EXPIRED = "expired"
    RELEASED = "released"
    """Nobody came by the set time of the day (`no-show`)."""
    PASSED_OVER = "passed-over"
    """Can no longer take it: holds as many classes as anybody may (`limit`), or one at the same time (`clash`)."""
    OFFERED = "offered"
    PROMOTED = "promoted"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    """A place for somebody who was wrongly kept out of the draw; the only move that begins a place."""


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
"""From where a move is possible, and from nowhere else."""

TO: Final[dict[Move, PlaceState]] = {
    Move.WITHDRAWN: S.GONE,
    Move.DECLINED: S.GONE,
    Move.EXPIRED: S.GONE,
    Move.RELEASED: S.GONE,
    Move.PASSED_OVER: S.GONE,
    Move.OFFERED: S.OFFERED,
    Move.PROMOTED: S.HELD,
    Move.ACCEPTED: S.HELD,
}
"""Where a move leads; a correction leads to `held` or `waiting`, as the draw would have."""

TAKES_SEATS: Final = frozenset({S.HELD, S.OFFERED})
