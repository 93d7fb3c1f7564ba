"""Rules that a manifest fixes for a draw: classes, wins, preferences, and how freed seats move on. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class ClassRule:
    """What the draw knows of a class; `capacity` and `waiting` count people and entries."""

    id: str
    capacity: int
    starts: datetime
    ends: datetime
    waiting: int


@dataclass(frozen=True)
class Rules:
    max_wins: int
    preferences: bool


@dataclass(frozen=True)
class PromotionRules:
    """What the manifest fixes before anybody knows who waits.

    `offer_hours`: time to answer; 0: whoever is next holds the place at once. `offers_until`: latest time to answer.
    Where `hold_until` or `offers_until` is None, the class's start counts.
    """

    hold_until: datetime | None = None
    offer_hours: int = 72
    offers_until: datetime | None = None

    def holds_until(self, rule: ClassRule) -> datetime:
        return self.hold_until or rule.starts

    def last_answer(self, rule: ClassRule) -> datetime:
        """From here on nobody is asked any more; freed seats go to those who are present on the day."""
        return min(self.offers_until or rule.starts, rule.starts)

    def answer_by(self, rule: ClassRule, at: datetime) -> datetime:
        return min(at + timedelta(hours=self.offer_hours), self.last_answer(rule))
