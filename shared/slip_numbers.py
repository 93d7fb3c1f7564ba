"""Numbers of outcome slips (`docs/protocols.md` §2): they rise with every change and every draw."""

import re
from typing import Final

from shared.errors import PermanentError
from shared.ids import DrawId

_CHANGES_OF_DRAW: Final = 1_000_000
"""Numbers of a draw's slips; the next draw's are higher."""


def slip_number(draw_number: int, change: int) -> int:
    """Return the number of the slip of a change after a draw; `change` 0: the result."""
    return draw_number * _CHANGES_OF_DRAW + change


def draw_of_result(n: int) -> int | None:
    """Return the number of the draw of which a slip with this number is the result; None for a change after it."""
    number, change = divmod(n, _CHANGES_OF_DRAW)
    return None if change else number


_NUMBERED: Final = re.compile(r".+-([1-9][0-9]{0,8})")


class DrawIdError(PermanentError):
    """Raised when a draw's id does not end with its number: no draw of ours has such an id."""


def is_numbered(draw: DrawId) -> bool:
    """Return True for an id in the form of draws, `<campaign>-<number>`."""
    return _NUMBERED.fullmatch(draw) is not None


def number_of_draw(draw: DrawId) -> int:
    """Return the number in a draw's id, `<campaign>-<number>`, from 1. Raises DrawIdError for an id of another form."""
    found = _NUMBERED.fullmatch(draw)
    if found is None:
        raise DrawIdError("a draw's id does not end with its number")
    return int(found[1])
