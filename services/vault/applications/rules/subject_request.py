"""Name what people may ask for about their own data, how they were identified, and the way of a request. Pure.

Source: 開示・訂正・利用停止・消去 of the personal-data law; a request is decided by the ward's account only.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine

DAYS: Final = 30
"""Days from the receipt of a request to its answer."""


class RequestKind(StrEnum):
    """Kind of a request. Texts of pages: `requests.kind.<value>`."""

    DISCLOSURE = "disclosure"
    CORRECTION = "correction"
    STOP = "stop"
    ERASURE = "erasure"


class IdentityCheck(StrEnum):
    """Way in which the person was identified. Texts of pages: `requests.identity.<value>`."""

    SEEN_DOCUMENT = "seen-document"
    COPY_BY_POST = "copy-by-post"
    CALLED_BACK = "called-back"


class RequestState(StrEnum):
    """State of a request."""

    RECEIVED = "received"
    GRANTED = "granted"
    REFUSED = "refused"
    DONE = "done"
    NOTIFIED = "notified"


class RefusalReason(StrEnum):
    """Reason of a refusal. Texts of pages: `requests.refusal.<value>`."""

    NOT_IDENTIFIED = "not-identified"
    NOT_OWN_DATA = "not-own-data"
    KEPT_BY_LAW = "kept-by-law"
    LIST_PUBLISHED = "list-published"


TRANSITIONS: Final = StateMachine(
    {
        RequestState.RECEIVED: frozenset({RequestState.GRANTED, RequestState.REFUSED}),
        RequestState.GRANTED: frozenset({RequestState.DONE}),
        RequestState.REFUSED: frozenset({RequestState.NOTIFIED}),
        RequestState.DONE: frozenset({RequestState.NOTIFIED}),
        RequestState.NOTIFIED: frozenset(),
    }
)
"""The ward's account decides; handlers do what was granted, and tell the person."""

DECISIONS: Final = frozenset({RequestState.GRANTED, RequestState.REFUSED})


def due_at(received: datetime) -> datetime:
    """Return the end of the 30 days."""
    return received + timedelta(days=DAYS)


def days_left(due: datetime, now: datetime) -> int:
    """Return the whole days that are left; negative after the end."""
    return (due - now).days
