"""Read the rules of classes and waiting lists from the members of a manifest. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.lottery.rules import ClassRule, PromotionRules


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
