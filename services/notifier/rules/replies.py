"""What an SMTP reply code means for a notice, and when to try again. Pure (RFC 5321 §4.2.1)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.notifier.rules.states import NoticeState

_TRANSIENT = range(400, 500)


def state_after(code: int, attempt: int, waits: Sequence[float]) -> NoticeState:
    """After a refusal: later while there are attempts left, else by post."""
    if code in _TRANSIENT and attempt <= len(waits):
        return NoticeState.DEFERRED
    return NoticeState.TO_PRINT


def next_attempt(now: datetime, attempt: int, waits: Sequence[float]) -> datetime:
    """`waits` in seconds before the second, third … attempt; `attempt` counts those made."""
    return now + timedelta(seconds=waits[min(attempt, len(waits)) - 1] if waits else 0)


def refused_for_another(code: int, recipients: int) -> bool:
    """A text refused for several may have been refused because of one of them: then each gets it alone."""
    return code not in _TRANSIENT and recipients > 1
