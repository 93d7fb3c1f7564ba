"""Define the states of a draw as a table, against which the repository checks every transition. Pure."""

from enum import StrEnum
from typing import Final

from shared.errors import KujiError
from shared.state_machine import StateMachine


class DrawState(StrEnum):
    """State of a draw, in the order in which a draw passes through them."""

    OPEN = "open"
    """Entries arrive and change."""
    FREEZING = "freezing"
    """Entries no longer change; the service writes the list down."""
    FROZEN = "frozen"
    """List and manifest are fixed and published; the draw waits for its randomness."""
    DRAWN = "drawn"
    """The transcript is fixed; the results are being published."""
    PUBLISHED = "published"
    """All results have been published."""

    def reached(self, state: "DrawState") -> bool:
        """Return True if a draw in this state is in `state` or past it."""
        order = list(DrawState)
        return order.index(self) >= order.index(state)


DRAW_STATES: Final = StateMachine[DrawState](
    {
        DrawState.OPEN: frozenset({DrawState.FREEZING}),
        DrawState.FREEZING: frozenset({DrawState.FROZEN}),
        DrawState.FROZEN: frozenset({DrawState.DRAWN}),
        DrawState.DRAWN: frozenset({DrawState.PUBLISHED}),
        DrawState.PUBLISHED: frozenset(),
    }
)
"""The transitions of one draw. A correction does not move a draw back: it replaces the draw by another one."""

NOT_WHILE_ERASING: Final = frozenset({DrawState.FREEZING, DrawState.DRAWN})
"""States that a draw does not enter after its erasure was requested, because its entries may be deleted at any time."""

REPLACEABLE: Final = frozenset({DrawState.FROZEN, DrawState.DRAWN, DrawState.PUBLISHED})
"""States in which a draw can be given up and replaced by the next one."""


class WrongStateError(KujiError):
    """Raised when the draw is not in the state that an operation needs; `state` names the state it is in."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the draw is {state}")
        self.state = state


class FurtherRoundRunningError(WrongStateError):
    """Raised when a place would move while a further round has no published result."""
