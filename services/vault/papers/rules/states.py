"""Name the states of a paper in the vault, as a table. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class PaperState(StrEnum):
    """State of a paper after the vault received it."""

    WAITING = "waiting"
    """The paper can be shown and waits to be keyed."""
    QUARANTINED = "quarantined"
    """The scanner found malware: never shown. The handler takes the original, or asks for it again."""
    UNREADABLE = "unreadable"
    """The file did not open or is no paper: never shown. The handler does as above."""
    KEYED = "keyed"
    DISCARDED = "discarded"


_SETTLED: Final = frozenset({PaperState.KEYED, PaperState.DISCARDED})

STATES: Final = StateMachine(
    {
        PaperState.WAITING: _SETTLED,
        PaperState.QUARANTINED: _SETTLED,
        PaperState.UNREADABLE: _SETTLED,
        PaperState.KEYED: frozenset(),
        PaperState.DISCARDED: frozenset(),
    }
)

UNSETTLED: Final = frozenset(PaperState) - STATES.final
"""States that still need a handler; the roll of receipts waits for such papers."""
