"""The states of a notice, as one table; every transition is checked against it. Pure."""

from enum import StrEnum
from typing import Final


class NoticeState(StrEnum):
    PENDING = "pending"
    """To be mailed."""
    SENDING = "sending"
    """Recipients are being named to the relay; a crash here loses nothing, nothing has gone out."""
    COMMITTING = "committing"
    """The text is on its way; a crash here leaves it unknown whether it arrived."""
    DEFERRED = "deferred"
    """The mail server said later."""
    MAILED = "mailed"
    UNKNOWN = "unknown"
    """The answer was lost: never sent again blindly, a person decides."""
    TO_PRINT = "to_print"
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    """Neither mail nor post can reach this person (unknown or erased)."""
    REPLACED = "replaced"
    """Not sent: the draw was corrected by another before, and a newer notice tells its result."""


S = NoticeState

AFTER: Final[dict[NoticeState, frozenset[NoticeState]]] = {
    S.PENDING: frozenset({S.SENDING, S.REPLACED}),
    S.SENDING: frozenset({S.COMMITTING, S.DEFERRED, S.TO_PRINT, S.PENDING}),
    S.COMMITTING: frozenset({S.MAILED, S.DEFERRED, S.TO_PRINT, S.UNKNOWN}),
    S.DEFERRED: frozenset({S.SENDING, S.REPLACED}),
    S.MAILED: frozenset({S.TO_PRINT}),
    S.UNKNOWN: frozenset({S.MAILED, S.TO_PRINT}),
    S.TO_PRINT: frozenset({S.PRINTING, S.REPLACED}),
    S.PRINTING: frozenset({S.PRINTED, S.FAILED}),
    S.PRINTED: frozenset(),
    S.FAILED: frozenset(),
    S.REPLACED: frozenset(),
}

FINAL: Final = frozenset({S.MAILED, S.PRINTED, S.REPLACED})
"""The person has been told, as far as anybody can say, or another notice tells more than this one."""

STARTS: Final = {"mail": S.PENDING, "post": S.TO_PRINT}


def before(target: NoticeState) -> list[str]:
    """From where `target` may be reached, for the filter of a conditional write."""
    return sorted(source for source, targets in AFTER.items() if target in targets)
