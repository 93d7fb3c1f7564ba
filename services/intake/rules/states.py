"""Name the states of an application and the stages of a campaign at intake, and the transitions between them. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class Status(StrEnum):
    """State of one application."""

    PENDING = "pending"
    """Stored, but the broker has not confirmed it: the applicant has no receipt and the application is not shown."""
    LATE = "late"
    """Still pending when the campaign was closed: it gets no receipt any more."""
    RECEIVED = "received"
    """The applicant has a receipt for the last version; the vault has not decided about it yet."""
    COMPLETE = "complete"
    """The application's own content is in order, whether or not the same person may have applied before."""
    UNDER_REVIEW = "under-review"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    """The person demanded the erasure: receipt number, id and line stay for the roll, and are shown to nobody."""


class Stage(StrEnum):
    """Stage of one campaign."""

    OPEN = "open"
    CLOSING = "closing"
    """Intake gives no further receipts and waits for the applications that are under way."""
    CLOSED = "closed"
    """The list of receipts was published to the lottery."""
    ERASING = "erasing"
    ERASED = "erased"
    """Intake holds no data of the campaign. A further request repeats the erasure."""


_DECIDED = frozenset({Status.COMPLETE, Status.UNDER_REVIEW, Status.REJECTED, Status.WITHDRAWN})

_AFTER = _DECIDED | {Status.ERASED}

SUBMISSION_STATES: Final = StateMachine[Status](
    {
        Status.PENDING: frozenset({Status.RECEIVED, Status.LATE}) | _AFTER,
        Status.LATE: _AFTER,
        Status.RECEIVED: _AFTER,
        Status.COMPLETE: _AFTER,
        Status.UNDER_REVIEW: _AFTER,
        Status.REJECTED: _AFTER,
        Status.WITHDRAWN: _AFTER,
        Status.ERASED: frozenset(),
    }
)
"""States of one version. A decision proves that the vault has the application, so it may follow any state.

A further version of an application with a receipt begins at `received`.
"""

CAMPAIGN_STAGES: Final = StateMachine[Stage](
    {
        Stage.OPEN: frozenset({Stage.CLOSING, Stage.ERASING}),
        Stage.CLOSING: frozenset({Stage.CLOSED, Stage.ERASING}),
        Stage.CLOSED: frozenset({Stage.ERASING}),
        Stage.ERASING: frozenset({Stage.ERASED}),
        Stage.ERASED: frozenset({Stage.ERASING}),
    }
)

RECEIPTED: Final[frozenset[Status]] = frozenset({Status.RECEIVED}) | _DECIDED
"""States of applications with a receipt: the applicant may see them, and the list of receipts names them."""

IN_ROLL: Final[frozenset[Status]] = RECEIPTED | {Status.ERASED}
"""States of applications whose line stands in the roll of receipts: nobody can prove an omission by an erasure."""
