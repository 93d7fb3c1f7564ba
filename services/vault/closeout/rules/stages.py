"""Stages of a close-out, as one table. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class Stage(StrEnum):
    """Stage of one campaign's close-out; each member says what has been done."""

    OPEN = "open"
    RETURNED = "returned"
    """A return package was made; the ward has not confirmed it."""
    CONFIRMED = "confirmed"
    """The ward confirmed that it holds the package with this hash."""
    REQUESTED = "requested"
    """Two people ordered the erasure; the vault's tombstone is set and the other services are asked to erase."""
    SCANNED = "scanned"
    """Records are counted, samples are set aside, and the logs were searched while names can still be read."""
    DESTROYED = "destroyed"
    """The campaign's key is destroyed: no copy of the data opens any more, and nothing new is taken in."""
    EMPTIED = "emptied"
    """Collections and files are deleted."""
    SILENCED = "silenced"
    """Every service confirmed its tombstone (T), or the wait for it ended."""
    DRAINED = "drained"
    """No delay queue holds a message from before T, or the wait for that ended; the services are asked to measure."""
    MEASURED = "measured"
    """The other services measured, or the wait for them ended; then the vault measured itself."""
    PENDING = "pending"
    """A certificate is issued that says PENDING: recorded copies of the key folder still exist."""
    CERTIFIED = "certified"


STAGES: Final = StateMachine[Stage](
    {
        Stage.OPEN: frozenset({Stage.RETURNED}),
        Stage.RETURNED: frozenset({Stage.RETURNED, Stage.CONFIRMED}),
        Stage.CONFIRMED: frozenset({Stage.RETURNED, Stage.REQUESTED}),
        Stage.REQUESTED: frozenset({Stage.SCANNED}),
        Stage.SCANNED: frozenset({Stage.DESTROYED}),
        Stage.DESTROYED: frozenset({Stage.EMPTIED}),
        Stage.EMPTIED: frozenset({Stage.SILENCED}),
        Stage.SILENCED: frozenset({Stage.DRAINED}),
        Stage.DRAINED: frozenset({Stage.MEASURED}),
        Stage.MEASURED: frozenset({Stage.PENDING, Stage.CERTIFIED}),
        Stage.PENDING: frozenset({Stage.CERTIFIED}),
        Stage.CERTIFIED: frozenset(),
    }
)
"""A new package cancels the ward's confirmation; an erasure that was ordered is carried out to the end."""

ERASING: Final = frozenset(
    {
        Stage.REQUESTED, Stage.SCANNED, Stage.DESTROYED, Stage.EMPTIED,
        Stage.SILENCED, Stage.DRAINED, Stage.MEASURED, Stage.PENDING,
    }
)  # fmt: skip
