"""The states of a paper at intake, as a table. Every transition is checked here. Pure."""

from enum import StrEnum
from typing import Final


class PaperStatus(StrEnum):
    """What intake knows of one paper."""

    PENDING = "pending"
    """Noted, but nobody confirmed that the vault will get it: no receipt was given."""
    LATE = "late"
    """Still pending when the campaign was closed: it will not be given a receipt any more."""
    RECEIVED = "received"
    """The vault has it or will have it; nobody has keyed it yet, so the roll of receipts waits."""
    KEYED = "keyed"
    DISCARDED = "discarded"
    """Put aside by a handler, with a reason that the vault keeps."""


_SETTLED: Final = frozenset({PaperStatus.KEYED, PaperStatus.DISCARDED})

PAPER_AFTER: Final[dict[PaperStatus, frozenset[PaperStatus]]] = {
    PaperStatus.PENDING: frozenset({PaperStatus.RECEIVED, PaperStatus.LATE}) | _SETTLED,
    PaperStatus.LATE: _SETTLED,
    PaperStatus.RECEIVED: _SETTLED,
    PaperStatus.KEYED: frozenset(),
    PaperStatus.DISCARDED: frozenset(),
}

RECEIPTED_PAPER: Final = frozenset({PaperStatus.RECEIVED}) | _SETTLED


def before_paper(target: PaperStatus) -> tuple[str, ...]:
    """From where `target` may be reached, for the filter of a conditional write."""
    return tuple(sorted(source for source, targets in PAPER_AFTER.items() if target in targets))
