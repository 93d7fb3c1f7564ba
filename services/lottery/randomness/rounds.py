"""Which round of the beacon decides a draw: one whose value nobody knows yet when the list is fixed. Pure."""

from datetime import datetime, timedelta
from typing import Final

from shared.campaign import Campaign, quicknet
from shared.errors import KujiError

_BEFORE_BEACON: Final = timedelta(minutes=2)
"""So long a new list stands in public at least before the round that decides it."""


class RoundPassed(KujiError):  # noqa: N818  (says what is the case)
    """The campaign file's `round` is known before the list is final, or before objections are heard."""

    def __init__(self, passed: int) -> None:
        super().__init__(f"round {passed} of the beacon comes too early: its value is known before the list is final")
        self.round = passed


def round_for(campaign: Campaign, number: int, now: datetime) -> int | None:
    """The round for a list that is fixed `now`; None for a draw without beacon. Raises RoundPassed.

    A campaign file names the round of its first draw; a draw that corrects another takes the next that nobody knows.
    """
    rule, until = campaign.draw, objections_end(campaign, now)
    if rule.beacon is None:
        return None
    if number > 1:
        return quicknet.round_after(until + _BEFORE_BEACON)
    if quicknet.time_of(rule.beacon.round) <= until:
        raise RoundPassed(rule.beacon.round)
    return rule.beacon.round


def objections_end(campaign: Campaign, frozen_at: datetime) -> datetime:
    """From when on chance may be given to a list that was fixed at `frozen_at`."""
    return frozen_at + timedelta(hours=campaign.draw.objection_hours)
