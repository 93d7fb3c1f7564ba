"""Retry policy: which error, at which attempt, leads to which delay or to the parking queue.

The type decides (`shared.errors`): a PermanentError is parked at once; everything else, expected or not, is
tried again after each of the waits, and parked after the last.
"""

import re
from dataclasses import dataclass

from shared.errors import PermanentError

_CODE = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")


@dataclass(frozen=True)
class Retry:
    delay_s: int


@dataclass(frozen=True)
class Park:
    error: str


def judge(error: Exception, attempt: int, delays_s: tuple[int, ...]) -> Retry | Park:
    """Decide about a message whose `attempt` (from 1) ended in `error`."""
    if isinstance(error, PermanentError) or attempt > len(delays_s):
        return Park(error_code(error))
    return Retry(delays_s[attempt - 1])


def error_code(error: Exception) -> str:
    """Return the type's name and stable code (`ContractViolationError:malformed`), never its text."""
    code = getattr(error, "code", None)
    name = type(error).__name__
    return f"{name}:{code}" if isinstance(code, str) and _CODE.match(code) else name
