"""Decide which of the requested classes a person may take (R-B1). Pure.

Reason codes: `grade` or `age` (whichever the person gave), `seats`; `class-unknown` concerns the whole application,
because an unknown id is free text and must not leave the vault.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.vault.identities.person import Person
from shared.campaign import Campaign, EventClass
from shared.contracts import Choice, Refusal

ADULT = 20
"""R-D2: under this age in years a guardian is named."""


@dataclass(frozen=True)
class Eligibility:
    """Choices that stand, in the order of preference, and those that do not, with the reason."""

    choices: tuple[Choice, ...]
    refused: tuple[Refusal, ...]


def is_minor(person: Person) -> bool:
    return person.grade is not None or (person.age is not None and person.age < ADULT)


def guardian_problem(person: Person) -> str | None:
    """R-D2: the guardian's name exactly where the applicant is under 20."""
    if is_minor(person) and person.guardian_name is None:
        return "guardian-missing"
    if not is_minor(person) and person.guardian_name is not None:
        return "guardian-not-allowed"
    return None


def unknown_classes(wanted: Sequence[Choice], campaign: Campaign) -> bool:
    return any(campaign.event_class(choice.class_id) is None for choice in wanted)


def eligible(person: Person, wanted: Sequence[Choice], campaign: Campaign) -> Eligibility:
    """Sort each requested class into exactly one of the two lists."""
    choices, refused = [], []
    for choice in wanted:
        event_class = campaign.event_class(choice.class_id)
        reason = "class-unknown" if event_class is None else _refusal(person, choice, event_class)
        if reason is None:
            choices.append(choice)
        else:
            refused.append(Refusal(class_id=choice.class_id, reason=reason))
    return Eligibility(tuple(choices), tuple(refused))


def eligible_besides(person: Person, wanted: Sequence[Choice], campaign: Campaign) -> tuple[Choice, ...]:
    """Return the other classes that a person could have asked for, in the campaign's order, for as many people.

    Only a campaign whose further rounds are for everybody needs them; for any other the result is empty.
    """
    if campaign.draw.further_round != "everybody":
        return ()
    asked, seats = {choice.class_id for choice in wanted}, max((choice.seats for choice in wanted), default=1)
    others = ((one, Choice(class_id=one.id, seats=seats)) for one in campaign.classes if one.id not in asked)
    return tuple(choice for one, choice in others if _refusal(person, choice, one) is None)


def _refusal(person: Person, choice: Choice, event_class: EventClass) -> str | None:
    rule = event_class.eligibility
    if person.grade is not None:
        if person.grade not in rule.grades:
            return "grade"
    elif not _age_fits(person.age, rule.min_age, rule.max_age):
        return "age"
    return None if choice.seats in event_class.seats else "seats"


def _age_fits(age: int | None, at_least: int | None, at_most: int | None) -> bool:
    return age is not None and at_least is not None and at_least <= age and (at_most is None or age <= at_most)
