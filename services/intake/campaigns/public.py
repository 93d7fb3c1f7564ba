"""The public part of a campaign file: what a form, a client or a passer-by may know. Pure."""

from typing import Any, Final

from shared.campaign import Campaign

_MEMBERS: Final = {
    "id": True,
    "rehearsal": True,
    "title": True,
    "purpose": True,
    "collects": True,
    "residency": True,
    "window": {"opens", "closes"},
    "office": {"name", "department", "postal_code", "address", "phone", "fax"},
    "draw": {"at", "max_wins", "preferences"},
    "notify_by": True,
    "classes": True,
    "talks": True,
}


def public_part(campaign: Campaign) -> dict[str, Any]:
    """JSON-ready, in the same order in every process (sets are sorted). Holds no mail address and no contract."""
    shown = campaign.model_dump(mode="json", include=_MEMBERS)  # type: ignore[arg-type]  # pydantic's own nesting form
    shown["collects"] = sorted(shown["collects"])
    for event_class in shown["classes"]:
        event_class["eligibility"]["grades"] = sorted(
            event_class["eligibility"]["grades"], key=lambda grade: ("pj".index(grade[0]), grade)
        )
    return {
        "v": 1,
        "campaign": shown.pop("id"),
        "purpose_version": campaign.purpose.version,
        "campaign_sha256": campaign.sha256,
        **shown,
    }
