"""Order what waits for handlers, and say in days, hours and minutes how long it has waited. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "first", "second", "third", "doubts", "to_phone", "failed", "returned", "unclear", "approvals"
]
"""Kind of work: looks at papers, held applications, calls, cards that could not be made or came back, unclear delivery
reports, approvals."""

HOLDS_UP_DRAW: Final = frozenset[Kind]({"first", "second", "third", "doubts"})
"""Kinds without which the list of entries is not complete: the draw waits for them."""

_HOUR_S: Final = 3600
_MINUTE_S: Final = 60


@dataclass(frozen=True)
class WaitingWork:
    """Work of one kind. `oldest`: since when its oldest piece waits; `link`: path of the page that does it, if any."""

    kind: Kind
    count: int
    oldest: datetime
    link: str | None = None

    @property
    def holds_up_draw(self) -> bool:
        """True if the draw waits for this work."""
        return self.kind in HOLDS_UP_DRAW


@dataclass(frozen=True)
class Age:
    """Time in whole days, hours and minutes, so that nobody has to compute it."""

    days: int
    hours: int
    minutes: int

    @property
    def key(self) -> Literal["days", "hours", "minutes"]:
        """Name of the text: days with hours, hours with minutes, or minutes."""
        if self.days:
            return "days"
        return "hours" if self.hours else "minutes"


def oldest_first(work: Iterable[WaitingWork]) -> list[WaitingWork]:
    """Return the kinds with work, the one that has waited longest first."""
    return sorted((one for one in work if one.count), key=lambda one: (one.oldest, one.kind))


def age_at(since: datetime, now: datetime) -> Age:
    """Return the time between two moments; nothing where a clock was set back."""
    waited = max(now - since, timedelta())
    return Age(waited.days, waited.seconds // _HOUR_S, waited.seconds % _HOUR_S // _MINUTE_S)
