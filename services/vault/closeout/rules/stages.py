"""The stages of a close-out, as one table. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    OPEN = "open"
    RETURNED = "returned"
    """A return package was made; the ward has not confirmed it."""
    CONFIRMED = "confirmed"
    """The ward says that it holds the package with this hash."""
    REQUESTED = "requested"
    """Two people ordered the erasure; the other services have been told."""
    SCANNED = "scanned"
    """What there was is counted, samples are set aside, and the logs were searched while names can still be read."""
    DESTROYED = "destroyed"
    """The campaign's key is gone: whatever copy exists anywhere opens for nobody, and nothing new comes in."""
    EMPTIED = "emptied"
    """Collections and files are deleted."""
    MEASURED = "measured"
    """It was looked whether anything is left here; the other services' answers are awaited."""
    CERTIFIED = "certified"


AFTER: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.OPEN: frozenset({Stage.RETURNED}),
    Stage.RETURNED: frozenset({Stage.RETURNED, Stage.CONFIRMED}),
    Stage.CONFIRMED: frozenset({Stage.RETURNED, Stage.REQUESTED}),
    Stage.REQUESTED: frozenset({Stage.SCANNED}),
    Stage.SCANNED: frozenset({Stage.DESTROYED}),
    Stage.DESTROYED: frozenset({Stage.EMPTIED}),
    Stage.EMPTIED: frozenset({Stage.MEASURED}),
    Stage.MEASURED: frozenset({Stage.CERTIFIED}),
    Stage.CERTIFIED: frozenset(),
}
"""Where a stage may lead. A new package takes the ward's confirmation back; an erasure ordered is carried out."""

ERASING: Final = frozenset({Stage.REQUESTED, Stage.SCANNED, Stage.DESTROYED, Stage.EMPTIED, Stage.MEASURED})


def before(stage: Stage) -> frozenset[Stage]:
    """The stages that may lead to `stage`."""
    return frozenset(source for source, targets in AFTER.items() if stage in targets)
