"""Choice of the beacon round that decides a draw: its value must be unknown when the list is frozen. Pure."""

from datetime import datetime, timedelta
from typing import Final

from shared.campaign import Campaign
from shared.errors import KujiError

_BEFORE_BEACON: Final = timedelta(minutes=2)
"""Minimum time between the publication of a list and the round that decides it."""


class RoundPassedError(KujiError):
    """Raised when the campaign file's `round` is published before the list is final or before objections end."""

    def __init__(self, passed: int) -> None:
        super().__init__(f"round {passed} of the beacon comes too early: its value is known before the list is final")
        self.round = passed


def choose_round(campaign: Campaign, number: int, now: datetime) -> int | None:
    """Return the round for a list that is frozen `now`; None for a draw without beacon. Raises RoundPassedError.

    A campaign file names the round of its first draw. A draw that corrects another takes the next unknown round.
    """
    rule, until = campaign.draw, objections_end(campaign, now)
    if rule.beacon is None:
        return None
    if number > 1:
        return rule.beacon.schedule.round_after(until + _BEFORE_BEACON)
    if rule.beacon.schedule.time_of(rule.beacon.round) <= until:
        raise RoundPassedError(rule.beacon.round)
    return rule.beacon.round


def objections_end(campaign: Campaign, frozen_at: datetime) -> datetime:
    """Return the first time at which randomness may be entered for a list that was frozen at `frozen_at`."""
    return frozen_at + timedelta(hours=campaign.draw.objection_hours)


def drawn_from(campaign: Campaign, number: int, now: datetime) -> datetime:
    """Return the time before which the randomness of the draw `number` does not exist, if its list is closed `now`.

    Raises RoundPassedError.
    """
    until, chosen = objections_end(campaign, now), choose_round(campaign, number, now)
    if campaign.draw.beacon is None or chosen is None:
        return until
    return max(until, campaign.draw.beacon.schedule.time_of(chosen))
