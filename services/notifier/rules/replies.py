"""Consequences of SMTP reply codes for a notice (RFC 5321 §4.2.1). Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from services.notifier.rules.states import NoticeState

_TRANSIENT: Final = range(400, 500)


def state_after_refusal(code: int, attempt: int, waits: Sequence[float]) -> NoticeState:
    """Return DEFERRED after a temporary refusal while there are attempts left, else TO_PRINT."""
    if code in _TRANSIENT and attempt <= len(waits):
        return NoticeState.DEFERRED
    return NoticeState.TO_PRINT


def next_attempt_at(now: datetime, attempt: int, waits: Sequence[float]) -> datetime:
    """Return the time of the next attempt.

    `attempt`: number of attempts made; `waits`: seconds before the second, third … attempt.
    """
    return now + timedelta(seconds=waits[min(attempt, len(waits)) - 1] if waits else 0)
