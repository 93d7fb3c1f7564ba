"""Choices of the demo's people: one to four suitable classes, sometimes an unsuitable one as well. Seeded."""

import random
from dataclasses import dataclass
from typing import Final

from deploy.demo.households import Person
from shared.campaign import Campaign, EventClass
from shared.ids import ClassId

_MOST: Final = 4


@dataclass(frozen=True)
class ChoiceList:
    """Classes with seats in order of preference, and whether the guardian is named."""

    choices: tuple[tuple[ClassId, int], ...]
    with_guardian: bool

    @property
    def classes(self) -> tuple[ClassId, ...]:
        return tuple(class_id for class_id, _ in self.choices)


def choose_classes(dice: random.Random, campaign: Campaign, person: Person) -> tuple[ChoiceList, frozenset[ClassId]]:
    """Choose classes that the person may take; a few also choose one that they may not, returned as the set."""
    fitting = [each for each in campaign.classes if qualifies(each, person)]
    others = [each for each in campaign.classes if each not in fitting]
    wanted = dice.sample(fitting, min(len(fitting), dice.choices((1, 2, 3, 4), weights=(45, 33, 15, 7))[0]))
    in_vain = [dice.choice(others)] if others and len(wanted) < _MOST and dice.random() < 0.05 else []  # noqa: PLR2004
    return _asking([*wanted, *in_vain], person), frozenset(each.id for each in in_vain)


def choose_in_vain(dice: random.Random, campaign: Campaign, person: Person) -> tuple[ChoiceList, str]:
    """Choose classes for an application that the rules reject; return them and the reason code."""
    fitting = [each for each in campaign.classes if qualifies(each, person)]
    mistake = dice.choices(("class", "guardian", "seats", "unknown"), weights=(70, 16, 10, 4))[0]
    if mistake == "class":
        wanted = dice.choice([each for each in campaign.classes if each not in fitting and _plain(each, person)])
        return _asking([wanted], person), "age" if person.grade is None else "grade"
    if mistake == "guardian":
        right = _asking([dice.choice(fitting)], person)
        wrong = ChoiceList(right.choices, not right.with_guardian)
        return wrong, "guardian-missing" if right.with_guardian else "guardian-not-allowed"
    chosen = dice.choice(fitting)
    if mistake == "seats":
        return ChoiceList(((chosen.id, max(chosen.seats) + 1),), person.is_minor), "seats"
    return ChoiceList(((ClassId("hammer-throw"), 1),), person.is_minor), "class-unknown"


def choose_scarce(campaign: Campaign, person: Person, *, also_in_vain: bool) -> tuple[ChoiceList, frozenset[ClassId]]:
    """Return the smallest class of the campaign that a pupil may take, and with it one that this grade may not."""
    scarce = find_scarce(campaign)
    closed = next((each for each in campaign.classes if _plain(each, person) and not qualifies(each, person)), None)
    in_vain = [closed] if also_in_vain and closed is not None else []
    return _asking([scarce, *in_vain], person), frozenset(each.id for each in in_vain)


def find_scarce(campaign: Campaign) -> EventClass:
    """Return the class for pupils with the fewest places."""
    return min((each for each in campaign.classes if each.eligibility.grades), key=lambda each: each.capacity)


def qualifies(event_class: EventClass, person: Person) -> bool:
    """Check eligibility: pupils by grade, other people by age."""
    rule = event_class.eligibility
    if person.grade is not None:
        return person.grade in rule.grades
    at_least, at_most = rule.min_age, rule.max_age
    return at_least is not None and at_least <= (person.age or 0) and (at_most is None or (person.age or 0) <= at_most)


def _plain(event_class: EventClass, person: Person) -> bool:
    """Refused for one clear reason: the class speaks of grades to pupils, of ages to everyone else."""
    return bool(event_class.eligibility.grades) if person.grade is not None else True


def _asking(classes: list[EventClass], person: Person) -> ChoiceList:
    return ChoiceList(tuple((each.id, each.seats[0]) for each in classes), person.is_minor)
