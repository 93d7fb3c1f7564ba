"""Read the content of a sealed application and judge it by the rules. Pure.

Unknown members are refused, not ignored (R-C3); nothing that is refused is ever repeated in an error.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.vault.applications.rules import normalise
from services.vault.applications.rules.eligibility import eligible, guardian_problem, is_minor, unknown_classes
from services.vault.applications.rules.residency import Municipalities, Residence, residence
from services.vault.identities.person import Person
from shared.campaign import Campaign
from shared.contracts import Channel, Choice, Refusal
from shared.ids import ClassIdField

_LONGEST = {"name": 80, "address": 200, "email": 254}
_DOUBTS = {Residence.CONTRADICTION: ("postal-mismatch",), Residence.UNKNOWN: ("postal-unknown",)}
_MAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"
)
"""Dots at the end and two in a row are accepted: telephone companies issued such addresses."""
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories that no name or address holds: controls, direction marks, line separators."""


def _only_visible(text: str) -> str:
    if any(unicodedata.category(each) in _INVISIBLE for each in text):
        raise ValueError("control characters")
    return text


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(_only_visible)]


class _Member(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class _Applicant(_Member):
    name: Annotated[Text, Field(max_length=_LONGEST["name"])]
    postal_code: Annotated[str, Field(max_length=16)]
    address: Annotated[Text, Field(max_length=_LONGEST["address"])]
    phone: Annotated[str, Field(max_length=24)]
    age: Annotated[int, Field(ge=0, le=120)] | None = None
    grade: Literal["p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3"] | None = None
    email: Annotated[str, Field(max_length=_LONGEST["email"])] | None = None

    @model_validator(mode="after")
    def _age_or_grade(self) -> "_Applicant":
        if (self.age is None) == (self.grade is None):
            raise ValueError("exactly one of age and grade")
        return self

    @model_validator(mode="after")
    def _forms_are_usable(self) -> "_Applicant":
        if not re.fullmatch(r"[0-9]{7}", normalise.postal_code(self.postal_code)):
            raise ValueError("postal code")
        if not re.fullmatch(r"0[0-9]{9,10}", normalise.phone(self.phone)):
            raise ValueError("phone")
        if self.email is not None and not _MAIL.fullmatch(normalise.email(self.email)):
            raise ValueError("email")
        return self


class _Guardian(_Member):
    name: Annotated[Text, Field(max_length=_LONGEST["name"])]


class _Wanted(_Member):
    class_id: Annotated[ClassIdField, Field(alias="class")]
    seats: Annotated[int, Field(ge=1, le=20)]


class _Plaintext(_Member):
    v: Literal[1]
    purpose_version: Annotated[str, Field(max_length=32)]
    applicant: _Applicant
    guardian: _Guardian | None = None
    choices: Annotated[list[_Wanted], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _choices_are_distinct(self) -> "_Plaintext":
        if len({choice.class_id for choice in self.choices}) != len(self.choices):
            raise ValueError("choices")
        return self


@dataclass(frozen=True)
class Unreadable:
    """Verdict on content without a person, or with one who was shown another purpose of use. Nothing is stored."""

    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Judged:
    """Verdict on a readable application: `reasons` reject it; `doubts` leave the decision to a person."""

    person: Person
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def judge(
    plaintext: bytes, channel: Channel, campaign: Campaign, municipalities: Municipalities
) -> Unreadable | Judged:
    """Return the verdict by the rules alone; duplicates are not known here."""
    try:
        content = _Plaintext.model_validate_json(plaintext, strict=True)
    except (ValidationError, RecursionError):
        return Unreadable(("malformed",))
    if content.purpose_version != campaign.purpose.version:
        return Unreadable(("purpose-version",))
    person = _person(content)
    wanted = tuple(Choice(class_id=choice.class_id, seats=choice.seats) for choice in content.choices)
    return _judge(person, wanted, channel, campaign, municipalities)


def _judge(
    person: Person, wanted: tuple[Choice, ...], channel: Channel, campaign: Campaign, municipalities: Municipalities
) -> Judged:
    lives = residence(person.address, person.postal_code, campaign.residency, municipalities)
    whole = [
        *(["channel-email"] if person.email is not None and channel != "web" else []),
        *(["not-resident"] if lives is Residence.ELSEWHERE else []),
        *([problem] if (problem := guardian_problem(person)) else []),
        *(["class-unknown"] if unknown_classes(wanted, campaign) else []),
    ]
    if whole:
        return Judged(_collectable(person, channel), (), (), reasons=tuple(whole))
    verdict = eligible(person, wanted, campaign)
    if not verdict.choices:
        reasons = tuple(dict.fromkeys(refusal.reason for refusal in verdict.refused))
        return Judged(person, (), verdict.refused, reasons=reasons)
    doubts = _DOUBTS.get(lives, ())
    return Judged(person, verdict.choices, verdict.refused, doubts=doubts)


def _collectable(person: Person, channel: Channel) -> Person:
    """Return the person without surplus items: mail from the site only (R-D1), guardians of minors only (R-D2)."""
    return replace(
        person,
        email=person.email if channel == "web" else None,
        guardian_name=person.guardian_name if is_minor(person) else None,
    )


def _person(content: _Plaintext) -> Person:
    applicant = content.applicant
    return Person(
        name=normalise.display(applicant.name),
        postal_code=normalise.postal_code(applicant.postal_code),
        address=normalise.display_address(applicant.address),
        phone=normalise.phone(applicant.phone),
        age=applicant.age,
        grade=applicant.grade,
        email=None if applicant.email is None else normalise.email(applicant.email),
        guardian_name=None if content.guardian is None else normalise.display(content.guardian.name),
    )
