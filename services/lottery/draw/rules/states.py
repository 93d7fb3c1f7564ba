"""The states of a draw, as a table; every transition is checked against it. Pure."""

from enum import StrEnum
from typing import Any, Final


class DrawState(StrEnum):
    OPEN = "open"
    """Entries come in and change."""
    FREEZING = "freezing"
    """Nothing changes any more; the list is being written down."""
    FROZEN = "frozen"
    """List and manifest are fixed and published; chance is awaited."""
    DRAWN = "drawn"
    """The transcript is fixed; results are on their way out."""
    PUBLISHED = "published"
    """Every result has been said."""


BEFORE: Final[dict[DrawState, DrawState]] = {
    DrawState.FREEZING: DrawState.OPEN,
    DrawState.FROZEN: DrawState.FREEZING,
    DrawState.DRAWN: DrawState.FROZEN,
    DrawState.PUBLISHED: DrawState.DRAWN,
}
"""From where a state is reached, and from nowhere else."""

UNLESS_ERASED: Final[dict[str, Any]] = {"erasure": {"$exists": False}}
"""No list is closed, drawn or given up once its erasure was asked for: entries may go at any moment."""
