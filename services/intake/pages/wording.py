"""Classes, who may apply and how likely a place is, in the words of a language. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.campaign import Campaign, EventClass
from shared.campaign.model import Text
from shared.catalogue import Catalogue
from shared.dates import format_span
from shared.odds import FEW_SEATS, assumed, odds

_GRADES: Final = ("p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3")
_TIMES: Final = (2, 5, 10)
"""How many times the seats people might ask for, as the odds assume it."""


@dataclass(frozen=True)
class ShownClass:
    """A class as the pages show it."""

    id: str
    number: int
    title: str
    who: str
    when: str
    place: str
    places: str


@dataclass(frozen=True)
class Odds:
    """Of one class: for each group size the percentage at each of `times` as much demand as seats; 0 is below 0.5."""

    times: tuple[int, ...]
    lines: tuple[tuple[int, tuple[int, ...]], ...]


def odds_by_class(campaign: Campaign) -> dict[str, Odds]:
    """For the classes with few seats, from the campaign file alone: how many will apply is an assumption."""
    return {each.id: _odds(each) for each in campaign.classes if each.capacity < FEW_SEATS}


def shown_class(each: EventClass, texts: Catalogue) -> ShownClass:
    return ShownClass(
        id=each.id,
        number=each.number,
        title=of(each.title, texts),
        who=who(each, texts),
        when=format_span(each.starts, each.ends, texts),
        place=of(each.place, texts),
        places=_places(each, texts),
    )


def of(text: Text, texts: Catalogue) -> str:
    """A text of the campaign file, which has Japanese and English; other languages read the English."""
    return text.in_language(texts.lang)


def title(campaign: Campaign, texts: Catalogue) -> str:
    return of(campaign.title, texts)


def purpose(campaign: Campaign, texts: Catalogue) -> str:
    return of(campaign.purpose.text, texts)


def who(each: EventClass, texts: Catalogue) -> str:
    """Who may take a class: pupils by grade, others by age, and whether as a pair."""
    rule = each.eligibility
    parts = [*_by_grade([grade for grade in _GRADES if grade in rule.grades], texts)]
    if rule.min_age is not None:
        bounds = {"min": rule.min_age, "max": rule.max_age}
        parts.append(texts.say("who.from" if rule.max_age is None else "who.ages", **bounds))
    if rule.guardian_pair:
        parts.append(texts.say("who.pair"))
    return texts.say("who.and").join(parts)


def _by_grade(grades: Sequence[str], texts: Catalogue) -> list[str]:
    primary, junior = [[each[1] for each in grades if each[0] == school] for school in "pj"]
    said = [texts.say("who.primary", grades=_run(primary, texts))] if primary else []
    if len(junior) == len("123"):
        return [*said, texts.say("who.junior-all")]
    return [*said, texts.say("who.junior", grades=_run(junior, texts))] if junior else said


def _run(years: Sequence[str], texts: Catalogue) -> str:
    """2〜4 for 2, 3, 4; 1、3 where there is a gap."""
    whole = len(years) > 1 and int(years[-1]) - int(years[0]) == len(years) - 1
    return texts.say("who.range", first=years[0], last=years[-1]) if whole else texts.say("who.and").join(years)


def _places(each: EventClass, texts: Catalogue) -> str:
    if len(each.seats) == 1 and each.seats[0] > 1:
        return texts.say("class.pairs", count=each.capacity // each.seats[0], people=each.capacity)
    return texts.say("class.people", count=each.capacity)


def _odds(each: EventClass) -> Odds:
    by_times = [odds(each.capacity, assumed(each.capacity, each.seats, times)) for times in _TIMES]
    sizes = sorted(set(each.seats))
    return Odds(_TIMES, tuple((size, tuple(round(100 * found[size]) for found in by_times)) for size in sizes))
