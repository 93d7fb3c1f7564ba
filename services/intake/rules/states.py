"""The states of an application and of a campaign at intake, as tables. Every transition is checked here. Pure."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """What intake knows of one application."""

    PENDING = "pending"
    """Noted, but nobody confirmed that the vault will get it: no receipt was given, the applicant cannot see it."""
    LATE = "late"
    """Still pending when the campaign was closed: it will not be given a receipt any more."""
    RECEIVED = "received"
    ACCEPTED = "accepted"
    HELD = "held"
    REJECTED = "rejected"


class Stage(StrEnum):
    """Where a campaign stands at intake."""

    OPEN = "open"
    CLOSING = "closing"
    """No further receipts; what was under way is being waited for."""
    CLOSED = "closed"
    """The roll of receipts is on its way to the lottery."""
    ERASING = "erasing"
    ERASED = "erased"
    """Nothing is left here. Asked again, intake looks again."""


_DECIDED = frozenset({Status.ACCEPTED, Status.HELD, Status.REJECTED})

STATUS_AFTER: Final[dict[Status, frozenset[Status]]] = {
    Status.PENDING: frozenset({Status.RECEIVED, Status.LATE}) | _DECIDED,
    Status.LATE: _DECIDED,
    Status.RECEIVED: _DECIDED,
    Status.ACCEPTED: _DECIDED,
    Status.HELD: _DECIDED,
    Status.REJECTED: _DECIDED,
}

STAGE_AFTER: Final[dict[Stage, frozenset[Stage]]] = {
    Stage.OPEN: frozenset({Stage.CLOSING, Stage.ERASING}),
    Stage.CLOSING: frozenset({Stage.CLOSED, Stage.ERASING}),
    Stage.CLOSED: frozenset({Stage.ERASING}),
    Stage.ERASING: frozenset({Stage.ERASED}),
    Stage.ERASED: frozenset({Stage.ERASING}),
}

RECEIPTED: Final[frozenset[Status]] = frozenset({Status.RECEIVED}) | _DECIDED
"""The applicant may see these, and they stand on the roll."""


def before_status(target: Status) -> tuple[str, ...]:
    """From where `target` may be reached, for the filter of a conditional write."""
    return tuple(sorted(source for source, targets in STATUS_AFTER.items() if target in targets))


def before_stage(target: Stage) -> tuple[str, ...]:
    """From where `target` may be reached, for the filter of a conditional write."""
    return tuple(sorted(source for source, targets in STAGE_AFTER.items() if target in targets))
