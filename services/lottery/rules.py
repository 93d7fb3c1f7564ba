"""Rules that a manifest fixes for a draw: classes, wins, preferences, and how freed seats move on. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Scope = Literal["asked", "everybody"]
"""Who takes part in a further round: entries that asked for the class, or every eligible entry without a place."""


@dataclass(frozen=True)
class ClassRule:
    """Class of the draw. `capacity` counts people, `waiting` entries."""

    id: str
    capacity: int
    starts: datetime
    ends: datetime
    waiting: int


@dataclass(frozen=True)
class Rules:
    """Rules of the allocation. `preferences`: choices are tried in the applicant's order."""

    max_wins: int
    preferences: bool


@dataclass(frozen=True)
class PromotionRules:
    """Rules for freed seats. The manifest fixes them before the waiting list is known.

    `offer_hours`: time to answer; 0: the next entry holds the place at once. `offers_until`: latest time to answer.
    If `hold_until` or `offers_until` is None, the start of the class counts.
    """

    hold_until: datetime | None = None
    offer_hours: int = 72
    offers_until: datetime | None = None

    def holds_until(self, rule: ClassRule) -> datetime:
        return self.hold_until or rule.starts

    def last_answer(self, rule: ClassRule) -> datetime:
        """Return the time after which no offers are made; freed seats then go to entries that are present."""
        return min(self.offers_until or rule.starts, rule.starts)

    def answer_by(self, rule: ClassRule, at: datetime) -> datetime:
        return min(at + timedelta(hours=self.offer_hours), self.last_answer(rule))
