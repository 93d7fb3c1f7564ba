"""Text of headers for the staff's pages: only in the form that our own services write.

Headers are not signed, and a delay queue takes a message into any queue. What another form has is shown as nothing.
"""

import re
from datetime import datetime
from typing import Any, Final

_CODE: Final = re.compile(r"[A-Za-z]{1,80}(?:[:-][a-z0-9]{1,40}){0,6}", re.ASCII)
_QUEUE: Final = re.compile(r"[a-z0-9_]{1,60}(?:[.-][a-z0-9_]{1,60}){0,8}", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}", re.ASCII)


def code_of(value: Any) -> str:
    """Return a code of an error or a reason, such as `ContractViolationError:malformed` or `foreign-publisher`."""
    return _matching(_CODE, value)


def queue_of(value: Any) -> str:
    """Return the name of a queue."""
    return _matching(_QUEUE, value)


def hash_of(value: Any) -> str:
    """Return an id or a hash in hex."""
    return _matching(_HASH, value)


def time_of(value: Any) -> str:
    """Return a time in ISO 8601, of a text or of an AMQP timestamp."""
    if isinstance(value, datetime):
        return value.isoformat()
    try:
        return datetime.fromisoformat(value).isoformat() if isinstance(value, str) else ""
    except ValueError:
        return ""


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
