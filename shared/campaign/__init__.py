"""The campaign file: loading, checking, and the typed values the services read."""

from shared.campaign.loading import CampaignError, load_campaign, load_campaigns
from shared.campaign.model import Campaign, Eligibility, EventClass, KeyingMode, Office, Text

__all__ = [
    "Campaign",
    "CampaignError",
    "Eligibility",
    "EventClass",
    "KeyingMode",
    "Office",
    "Text",
    "load_campaign",
    "load_campaigns",
]
