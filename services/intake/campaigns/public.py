"""Extract the public part of a campaign file, which forms and clients need. Pure."""

from typing import Any, Final

from shared.campaign import Campaign

PublicPart = dict[str, Any]
"""JSON object; `docs/protocols.md` §1 has its members."""

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


def extract_public(campaign: Campaign) -> PublicPart:
    """Return the public part, ready for JSON, in the same order in every process, without mail address and contract."""
    public = campaign.model_dump(mode="json", include=_MEMBERS)  # type: ignore[arg-type]  # pydantic's own nesting form
    public["collects"] = sorted(public["collects"])
    for event_class in public["classes"]:
        event_class["eligibility"]["grades"] = sorted(
            event_class["eligibility"]["grades"], key=lambda grade: ("pj".index(grade[0]), grade)
        )
    return {
        "v": 1,
        "campaign": public.pop("id"),
        "purpose_version": campaign.purpose.version,
        "campaign_sha256": campaign.sha256,
        **public,
    }
