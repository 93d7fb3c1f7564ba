"""The states of a paper in the vault, as a table. Every transition is checked here. Pure."""

from enum import StrEnum
from typing import Final


class PaperState(StrEnum):
    WAITING = "waiting"
    """Can be shown; waits to be keyed."""
    QUARANTINED = "quarantined"
    """The scanner found malware: never shown. The handler goes to the paper itself, or asks for it again."""
    UNREADABLE = "unreadable"
    """Did not open, or is no paper: never shown. As above."""
    KEYED = "keyed"
    DISCARDED = "discarded"


_SETTLED: Final = frozenset({PaperState.KEYED, PaperState.DISCARDED})

AFTER: Final[dict[PaperState | None, frozenset[PaperState]]] = {
    None: frozenset({PaperState.WAITING, PaperState.QUARANTINED, PaperState.UNREADABLE}),
    PaperState.WAITING: _SETTLED,
    PaperState.QUARANTINED: _SETTLED,
    PaperState.UNREADABLE: _SETTLED,
    PaperState.KEYED: frozenset(),
    PaperState.DISCARDED: frozenset(),
}

UNSETTLED: Final = frozenset(state for state, targets in AFTER.items() if state is not None and targets)
"""Nobody has keyed it or put it aside: the roll of receipts waits for it."""


def before(target: PaperState) -> list[str]:
    """From where `target` may be reached, for the filter of a conditional write."""
    return sorted(source for source, targets in AFTER.items() if source is not None and target in targets)
