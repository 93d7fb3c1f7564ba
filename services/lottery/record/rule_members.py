"""Write and read the rules of a campaign as members of a manifest. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from services.lottery.rules import ClassRule, PromotionRules, Scope
from shared.campaign import Campaign


def campaign_members(campaign: Campaign) -> Mapping[str, Any]:
    """Return the members that follow from the campaign file alone. They are fixed before the result is known."""
    rule, hold_until, until = campaign.draw, campaign.reception.hold_until, campaign.offers.until
    return {
        "classes": [
            {
                "id": one.id,
                "capacity": one.capacity,
                "starts": one.starts.isoformat(),
                "ends": one.ends.isoformat(),
                "waiting": one.waiting,
            }
            for one in campaign.classes
        ],
        "rules": {
            "max_wins": rule.max_wins,
            "preferences": rule.preferences,
            "groups": "skip",
            "further_round": rule.further_round,
        },
        "promotion": {
            "hold_until": hold_until and hold_until.isoformat(),
            "offer_hours": campaign.offers.hours,
            "offers_until": until and until.isoformat(),
        },
    }


def read_scope(rules: Mapping[str, Any]) -> Scope:
    """Return who takes part in further rounds, by the rules of a manifest. Raises ValueError."""
    scope: Scope = rules.get("further_round", "asked")
    if scope not in get_args(Scope):
        raise ValueError("the manifest does not say who takes part in further rounds")
    return scope


def read_promotion(member: Mapping[str, Any]) -> PromotionRules:
    """Return the rules of the waiting lists from their member of a manifest."""
    hold_until, until = member["hold_until"], member["offers_until"]
    return PromotionRules(
        hold_until=None if hold_until is None else datetime.fromisoformat(hold_until),
        offer_hours=int(member["offer_hours"]),
        offers_until=None if until is None else datetime.fromisoformat(until),
    )


def read_class(member: Mapping[str, Any]) -> ClassRule:
    """Return the rule of a class from its member of a manifest."""
    starts, ends = (datetime.fromisoformat(member[name]) for name in ("starts", "ends"))
    return ClassRule(member["id"], member["capacity"], starts, ends, member["waiting"])
