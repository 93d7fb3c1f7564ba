"""Name the states of a paper at intake and the transitions between them. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class PaperStatus(StrEnum):
    """State of one paper."""

    PENDING = "pending"
    """Stored, but the broker has not confirmed it: the sender has no receipt."""
    LATE = "late"
    """Still pending when the campaign was closed: it gets no receipt any more."""
    RECEIVED = "received"
    """The broker has confirmed it. No handler has keyed it yet, so the list of receipts waits."""
    KEYED = "keyed"
    DISCARDED = "discarded"
    """Set aside by a handler, with a reason that the vault stores."""


_SETTLED: Final = frozenset({PaperStatus.KEYED, PaperStatus.DISCARDED})

PAPER_STATES: Final = StateMachine[PaperStatus](
    {
        PaperStatus.PENDING: frozenset({PaperStatus.RECEIVED, PaperStatus.LATE}) | _SETTLED,
        PaperStatus.LATE: _SETTLED,
        PaperStatus.RECEIVED: _SETTLED,
        PaperStatus.KEYED: frozenset(),
        PaperStatus.DISCARDED: frozenset(),
    }
)

RECEIPTED_PAPER: Final = frozenset({PaperStatus.RECEIVED}) | _SETTLED
"""States of papers whose sender has a receipt."""

IN_THE_ROLL: Final = RECEIPTED_PAPER - {PaperStatus.KEYED}
"""States of papers that stand in the roll themselves; applications stand there for a keyed one."""
