"""Compare times with a campaign's window: the web closes at `closes`, paper at `paper_until`. Pure."""

from datetime import datetime
from enum import Enum

from shared.campaign import Campaign
from shared.contracts import Channel


class Timing(Enum):
    """Position of a time before, in or after the window."""

    EARLY = "early"
    OPEN = "open"
    LATE = "late"


def classify_time(campaign: Campaign, channel: Channel, at: datetime) -> Timing:
    """Return the position of `at`: `opens` is the first moment inside the window, the deadline the first after it."""
    if at < campaign.window.opens:
        return Timing.EARLY
    return Timing.OPEN if at < deadline(campaign, channel) else Timing.LATE


def deadline(campaign: Campaign, channel: Channel) -> datetime:
    """Return the first moment at which the channel is closed."""
    return campaign.window.closes if channel == "web" else campaign.window.paper_until


def is_over(campaign: Campaign, at: datetime) -> bool:
    """Return True if every channel is closed, so that the list of receipts can be published."""
    return at >= campaign.window.paper_until
