"""Choice of the beacon round that decides a draw: its value must be unknown when the list is frozen. Pure."""

from datetime import datetime, timedelta
from typing import Final

from shared.campaign import Campaign
from shared.campaign.beacon_schedule import TIME_FOR_WITNESSES
from shared.dice_acts import MARGIN
from shared.errors import KujiError

_BEFORE_BEACON: Final = timedelta(minutes=2)
"""Minimum time between the publication of a list and the round that decides it."""


_FEWEST_FOR_WITNESSES: Final = MARGIN + timedelta(minutes=5)
"""Least time between the end of objections and a named round, in a draw with witnesses."""


class RoundPassedError(KujiError):
    """Raised when the campaign file's `round` comes before the list is final, or too soon for the witnesses."""

    def __init__(self, passed: int) -> None:
        super().__init__(f"round {passed} of the beacon comes too early: before list and digits can be final")
        self.round = passed


def choose_round(campaign: Campaign, number: int, now: datetime) -> int:
    """Return the round for a list that is frozen `now`. Raises RoundPassedError.

    A campaign file may name the round of its first draw. Any other draw takes the first round after the objections and
    the time for the witnesses.
    """
    rule, until = campaign.draw, objections_end(campaign, now)
    beacon, named = rule.chain, rule.chain.round
    if number > 1 or named is None:
        return beacon.schedule.round_after(until + (TIME_FOR_WITNESSES if rule.uses_dice else _BEFORE_BEACON))
    if beacon.schedule.time_of(named) <= until + (_FEWEST_FOR_WITNESSES if rule.uses_dice else timedelta()):
        raise RoundPassedError(named)
    return named


def objections_end(campaign: Campaign, frozen_at: datetime) -> datetime:
    """Return the first time at which randomness may be entered for a list that was frozen at `frozen_at`."""
    return frozen_at + timedelta(hours=campaign.draw.objection_hours)


def drawn_from(campaign: Campaign, number: int, now: datetime) -> datetime:
    """Return the time before which the randomness of the draw `number` does not exist, if its list is closed `now`.

    Raises RoundPassedError.
    """
    chosen = choose_round(campaign, number, now)
    return max(objections_end(campaign, now), campaign.draw.chain.schedule.time_of(chosen))
