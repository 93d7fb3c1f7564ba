"""Check campaign files against the postal table when they load: a municipality that does not exist has no residents."""

from collections.abc import Iterable
from pathlib import Path

from shared.campaign import Campaign, load_campaigns
from shared.errors import ConfigurationError
from shared.ids import CampaignId
from shared.postal_codes import has_municipality


def load_checked(folder: Path) -> dict[CampaignId, Campaign]:
    """Return the campaigns of the folder. Raises ConfigurationError as `load_campaigns` and the check below do."""
    campaigns = load_campaigns(folder)
    check_municipalities(campaigns.values())
    return campaigns


def check_municipalities(campaigns: Iterable[Campaign]) -> None:
    """Raise ConfigurationError for a campaign whose residents live in a municipality that Japan Post does not know."""
    for campaign in campaigns:
        rule = campaign.residency
        if not has_municipality(rule.prefecture, rule.ward):
            raise ConfigurationError(
                f"campaign {campaign.id}: residency {rule.prefecture}{rule.ward} is not in the postal table; write "
                "prefecture and municipality as Japan Post does, e.g. prefecture: 東京都, ward: 新宿区"
            )
