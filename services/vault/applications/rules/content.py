"""Read the content of a sealed application and judge it by the rules. Pure.

Unknown members are refused, not ignored (R-C3); nothing that is refused is ever repeated in an error.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.vault.applications.rules import normalise
from services.vault.applications.rules.eligibility import (
    eligible,
    eligible_besides,
    guardian_problem,
    is_minor,
    unknown_classes,
)
from services.vault.applications.rules.residency import Municipalities, Residence, residence
from services.vault.identities.person import Person
from shared.campaign import Campaign
from shared.codes import Code, CodeField
from shared.contracts import Channel, Choice, Refusal
from shared.ids import ClassIdField
from shared.strict_json import parse_strict_json

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
    phone: Annotated[str, Field(max_length=40)]
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
        if not re.fullmatch(r"0[0-9]{9,10}(#[0-9]{1,6})?", normalise.phone(self.phone)):
            raise ValueError("phone")
        if self.email is not None and not _MAIL.fullmatch(normalise.email(self.email)):
            raise ValueError("email")
        return self


class _Guardian(_Member):
    name: Annotated[Text, Field(max_length=_LONGEST["name"])]


class _Wanted(_Member):
    class_id: Annotated[ClassIdField, Field(alias="class")]
    seats: Annotated[int, Field(ge=1, le=20)]


class _Form(_Member):
    """Content of an application without its code, as a handler keys a paper."""

    v: Literal[2]
    purpose_version: Annotated[str, Field(max_length=32)]
    applicant: _Applicant
    guardian: _Guardian | None = None
    choices: Annotated[list[_Wanted], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _choices_are_distinct(self) -> "_Form":
        if len({choice.class_id for choice in self.choices}) != len(self.choices):
            raise ValueError("choices")
        return self


class _Plaintext(_Form):
    code: CodeField


class _Withdrawal(_Member):
    v: Literal[2]
    withdraw: Annotated[bool, Field(strict=True)]
    code: CodeField


class _Coded(BaseModel):
    """Anything with a code, so that content of a wrong form can still be known as the applicant's."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, strict=True)
    code: CodeField


@dataclass(frozen=True)
class Unreadable:
    """Verdict on content without a person, or with one who was shown another purpose of use. No person is stored.

    `code` is None where the content has none.
    """

    reasons: tuple[str, ...]
    code: Code | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Withdrawal:
    """Applicant's word that the application is withdrawn."""

    code: Code = field(repr=False)


@dataclass(frozen=True)
class Judged:
    """Verdict on a readable application: `reasons` reject it; `doubts` leave the decision to a person."""

    person: Person
    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]
    reasons: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    eligible: tuple[Choice, ...] = ()
    """Classes that the person could have asked for besides, where further rounds are for everybody."""
    code: Code | None = field(default=None, repr=False)
    """None for the content of a paper, whose code the vault makes."""


Verdict: TypeAlias = Unreadable | Withdrawal | Judged


def judge(plaintext: bytes, channel: Channel, campaign: Campaign, municipalities: Municipalities) -> Verdict:
    """Return the verdict on sealed content by the rules alone; code and duplicates are compared by the caller."""
    try:
        parsed = parse_strict_json(plaintext)
    except ValueError:
        return Unreadable(("malformed",))
    try:
        if isinstance(parsed, dict) and "withdraw" in parsed:
            return Withdrawal(_Withdrawal.model_validate(_exact(parsed)).code)
        content = _Plaintext.model_validate(_exact(parsed))
    except (ValidationError, ValueError, RecursionError):
        return Unreadable(("malformed",), _code_of(parsed))
    return _judge_form(content, channel, campaign, municipalities, content.code)


def judge_keyed(
    form: Mapping[str, object], channel: Channel, campaign: Campaign, municipalities: Municipalities
) -> Unreadable | Judged:
    """Return the verdict on the content of a paper, which has no code."""
    try:
        content = _Form.model_validate(_exact(form))
    except (ValidationError, ValueError, RecursionError):
        return Unreadable(("malformed",))
    return _judge_form(content, channel, campaign, municipalities, None)


def _judge_form(
    content: _Form, channel: Channel, campaign: Campaign, municipalities: Municipalities, code: Code | None
) -> Unreadable | Judged:
    """Return the verdict on content of the right form."""
    if content.purpose_version != campaign.purpose.version:
        return Unreadable(("purpose-version",), code)
    person = _person(content)
    wanted = tuple(Choice(class_id=choice.class_id, seats=choice.seats) for choice in content.choices)
    return replace(_judge(person, wanted, channel, campaign, municipalities), code=code)


def _exact(parsed: object) -> object:
    """Return the value. Raises ValueError for `"v": 2.0` and `"withdraw": 1`, which equal right values in Python."""
    if isinstance(parsed, Mapping) and (type(parsed.get("v")) is not int or parsed.get("withdraw", True) is not True):
        raise ValueError("a value of another type")
    return parsed


def _code_of(parsed: object) -> Code | None:
    """Return the code of content whose form is wrong otherwise; None if it has none."""
    try:
        return _Coded.model_validate(parsed).code
    except ValidationError:
        return None


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
    besides = eligible_besides(person, wanted, campaign)
    return Judged(person, verdict.choices, verdict.refused, doubts=doubts, eligible=besides)


def _collectable(person: Person, channel: Channel) -> Person:
    """Return the person without surplus items: mail from the site only (R-D1), guardians of minors only (R-D2)."""
    return replace(
        person,
        email=person.email if channel == "web" else None,
        guardian_name=person.guardian_name if is_minor(person) else None,
    )


def _person(content: _Form) -> Person:
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
