"""Numbers of outcome slips (`docs/protocols.md` §2): they rise with every change and every draw."""

from typing import Final

from shared.ids import DrawId

_CHANGES_OF_DRAW: Final = 1_000_000
"""Numbers of a draw's slips; the next draw's are higher."""


def slip_number(draw_number: int, change: int) -> int:
    """Return the number of the slip of a change after a draw; `change` 0: the result."""
    return draw_number * _CHANGES_OF_DRAW + change


def number_of_draw(draw: DrawId) -> int:
    """Return the number in a draw's id, `<campaign>-<number>`. Raises ValueError for an id of another form."""
    return int(draw.rpartition("-")[2])
