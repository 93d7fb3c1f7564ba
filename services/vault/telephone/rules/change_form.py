"""Turn the fields of a correction into the content of a version, as an applicant's own program would. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.vault.identities.person import Person
from shared.campaign import Campaign
from shared.codes import Code
from shared.contracts import Channel, Choice
from shared.json_types import JsonObject

CONTACT_FIELDS: Final = ("postal_code", "address", "phone", "email")
PERSON_FIELDS: Final = ("name", *CONTACT_FIELDS, "guardian", "age", "grade")


@dataclass(frozen=True)
class ClassLine:
    """One class in the form: its order among the choices as text, empty if it is not wanted; and the seats."""

    class_id: str
    order: str
    seats: str


def class_lines(campaign: Campaign, choices: Sequence[Choice], sent: Mapping[str, str] | None) -> list[ClassLine]:
    """Return the classes of the campaign with what an application asks for, or with what was typed."""
    asked = {choice.class_id: (str(number), str(choice.seats)) for number, choice in enumerate(choices, 1)}
    stored = [ClassLine(one.id, *asked.get(one.id, ("", str(one.seats[0])))) for one in campaign.classes]
    if sent is None:
        return stored
    return [
        ClassLine(one.class_id, sent.get(f"order-{one.class_id}", ""), sent.get(f"seats-{one.class_id}", one.seats))
        for one in stored
    ]


def fields_of(person: Person) -> dict[str, str]:
    """Return the person as the form shows it at first."""
    values = {name: getattr(person, name) for name in ("name", *CONTACT_FIELDS, "age", "grade")}
    values["guardian"] = person.guardian_name
    return {name: "" if value is None else str(value) for name, value in values.items()}


def with_contact(person: Person, sent: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a person whose contact alone is replaced."""
    return {**fields_of(person), **{name: sent.get(name, "").strip() for name in CONTACT_FIELDS}}


def read_choices(campaign: Campaign, sent: Mapping[str, str]) -> list[JsonObject]:
    """Return the choices of the form in their order; empty for an order that is no number."""
    lines = []
    for one in campaign.classes:
        order, seats = sent.get(f"order-{one.id}", "").strip(), sent.get(f"seats-{one.id}", "").strip()
        if not order:
            continue
        if not (order.isascii() and order.isdigit() and seats.isascii() and seats.isdigit()):
            return []
        lines.append((int(order), {"class": one.id, "seats": int(seats)}))
    return [choice for _, choice in sorted(lines, key=lambda line: line[0])]


def content_of(
    campaign: Campaign, code: Code, fields: Mapping[str, str], choices: Sequence[JsonObject], channel: Channel
) -> JsonObject:
    """Return the content of a version (`docs/protocols.md` §1). An application on paper gets no mail address (R-D1)."""
    typed = {name: fields.get(name, "").strip() for name in PERSON_FIELDS}
    applicant: JsonObject = {name: typed[name] for name in ("name", "postal_code", "address", "phone")}
    if typed["age"].isascii() and typed["age"].isdigit():
        applicant["age"] = int(typed["age"])
    if typed["grade"]:
        applicant["grade"] = typed["grade"]
    if typed["email"] and channel == "web":
        applicant["email"] = typed["email"]
    content: JsonObject = {
        "v": 2,
        "code": code,
        "purpose_version": campaign.purpose.version,
        "applicant": applicant,
        "choices": list(choices),
    }
    if typed["guardian"]:
        content["guardian"] = {"name": typed["guardian"]}
    return content


def withdrawal_of(code: Code) -> JsonObject:
    """Return the content of a withdrawal."""
    return {"v": 2, "withdraw": True, "code": code}
