"""State tables of notices and of print batches; the repositories check every transition against them. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from shared.state_machine import StateMachine

NoticeChannel = Literal["mail", "post"]


class NoticeState(StrEnum):
    """State of one notice."""

    PENDING = "pending"
    """The notice waits to be mailed."""
    SENDING = "sending"
    """A session names the recipients to the relay. The text has not been sent, so a crash here loses nothing."""
    COMMITTING = "committing"
    """The session sends the text. After a crash here it is unknown whether the mail server took the text."""
    DEFERRED = "deferred"
    """The mail server refused temporarily (4xx), or the relay was away; the notice is mailed again at `next_at`."""
    MAILED = "mailed"
    """The mail server took the text."""
    UNKNOWN = "unknown"
    """The answer to the text was lost. The notice is never sent again by itself; a handler decides (ADR 0012)."""
    TO_PRINT = "to_print"
    """The notice waits for a print batch."""
    PRINTING = "printing"
    """The card is ordered from the vault's print room."""
    PRINTED = "printed"
    """The card is on paper."""
    FAILED = "failed"
    """Neither mail nor post can reach the applicant: the token is unknown or erased."""
    REPLACED = "replaced"
    """The notice was not sent: a later draw corrected its draw, and a newer notice has that result."""


S = NoticeState

NOTICES: Final = StateMachine[NoticeState](
    {
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
)

FINISHED: Final = frozenset({S.MAILED, S.PRINTED, S.REPLACED})
"""States in which the applicant was notified, as far as the notifier knows, or a newer notice has the result."""

INITIAL: Final[Mapping[NoticeChannel, NoticeState]] = {"mail": S.PENDING, "post": S.TO_PRINT}
"""State of a new notice, by the applicant's contact channel."""


class PrintBatchState(StrEnum):
    """State of one order to the print room."""

    REQUESTED = "requested"
    """The order is published."""
    PRINTED = "printed"
    """Every card ordered is on paper or named as failed."""
    MISMATCH = "mismatch"
    """Cards or pages differ from the order; a handler must look."""


PRINT_BATCHES: Final = StateMachine[PrintBatchState](
    {
        PrintBatchState.REQUESTED: frozenset({PrintBatchState.PRINTED, PrintBatchState.MISMATCH}),
        PrintBatchState.PRINTED: frozenset(),
        PrintBatchState.MISMATCH: frozenset(),
    }
)
