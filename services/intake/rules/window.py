"""When applications are taken: the web until `closes`, paper that came in time is keyed until `paper_until`. Pure."""

from datetime import datetime
from enum import Enum

from shared.campaign import Campaign
from shared.contracts import Channel


class Timing(Enum):
    EARLY = "early"
    OPEN = "open"
    LATE = "late"


def timing(campaign: Campaign, channel: Channel, at: datetime) -> Timing:
    """`opens` is the first moment within, the deadline the first without."""
    if at < campaign.window.opens:
        return Timing.EARLY
    return Timing.OPEN if at < deadline(campaign, channel) else Timing.LATE


def deadline(campaign: Campaign, channel: Channel) -> datetime:
    return campaign.window.closes if channel == "web" else campaign.window.paper_until


def is_over(campaign: Campaign, at: datetime) -> bool:
    """No channel takes anything any more: the roll of receipts can be closed."""
    return at >= campaign.window.paper_until
