"""The moments of a campaign at which something happens, to move a rehearsal from one to the next. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.campaign import Campaign
from shared.campaign.beacon_schedule import TIME_FOR_WITNESSES

_JUST_AFTER: Final = timedelta(seconds=1)
"""The services compare with their own clocks: one second later the moment has passed for each of them."""

_WRITTEN: Final = timedelta(minutes=1)
"""Longer than it takes to write the list down, before which the beacon's round is not chosen."""


@dataclass(frozen=True, order=True)
class Moment:
    """A time of a campaign, and its meaning in English."""

    at: datetime
    campaign: str
    meaning: str

    @property
    def reached_at(self) -> datetime:
        """The time to set the clock to, so that the moment has passed."""
        return self.at + _JUST_AFTER


def list_moments(campaigns: Iterable[Campaign]) -> list[Moment]:
    """Return the moments of all campaigns in the order of time."""
    return sorted(moment for campaign in campaigns for moment in _moments_of(campaign))


def find_next(campaigns: Iterable[Campaign], now: datetime) -> Moment | None:
    """Return the first moment later than `now`; None after the last one."""
    return next((moment for moment in list_moments(campaigns) if moment.at > now), None)


def _moments_of(campaign: Campaign) -> Iterator[Moment]:
    draw, window = campaign.draw, campaign.window
    yield Moment(window.opens, campaign.id, "applications open")
    yield Moment(window.closes, campaign.id, "applications on the web close")
    if window.paper_until != window.closes:
        yield Moment(window.paper_until, campaign.id, "the last day for keying paper ends")
    yield Moment(draw.at, campaign.id, "the list of the draw is frozen")
    if draw.objection_hours:
        objections_end = draw.at + timedelta(hours=draw.objection_hours)
        yield Moment(objections_end, campaign.id, "the time for objections to the list ends")
    if draw.chain.round is None:
        decided = draw.at + timedelta(hours=draw.objection_hours) + TIME_FOR_WITNESSES + _WRITTEN
        yield Moment(decided, campaign.id, "the beacon's value decides the draw, if the list was frozen in time")
    yield Moment(campaign.notify_by, campaign.id, "every applicant is to be notified")
    for event_class in campaign.classes:
        yield Moment(event_class.starts, campaign.id, f"class {event_class.id} starts")
    yield Moment(campaign.close_out, campaign.id, "the close-out: return and erasure may begin")
    yield Moment(campaign.contract.ends, campaign.id, "the contract ends")
