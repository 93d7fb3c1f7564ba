"""Describe classes, eligibility and chances in the words of a language. Pure."""

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
"""Demand that the odds assume, as multiples of the seats."""


@dataclass(frozen=True)
class ClassView:
    """Texts of a class for the pages."""

    id: str
    number: int
    title: str
    who: str
    when: str
    place: str
    places: str


@dataclass(frozen=True)
class Odds:
    """Chances of one class: for each group size the percentage at each of `times`; 0 means below 0.5 percent."""

    times: tuple[int, ...]
    lines: tuple[tuple[int, tuple[int, ...]], ...]


def odds_by_class(campaign: Campaign) -> dict[str, Odds]:
    """Return the chances of the classes with few seats, from the campaign file and an assumed demand."""
    return {event_class.id: _odds(event_class) for event_class in campaign.classes if event_class.capacity < FEW_SEATS}


def class_view(event_class: EventClass, texts: Catalogue) -> ClassView:
    """Return the texts of a class."""
    return ClassView(
        id=event_class.id,
        number=event_class.number,
        title=of(event_class.title, texts),
        who=who(event_class, texts),
        when=format_span(event_class.starts, event_class.ends, texts),
        place=of(event_class.place, texts),
        places=_places(event_class, texts),
    )


def of(text: Text, texts: Catalogue) -> str:
    """Return a text of the campaign file, which has Japanese and English; other languages get the English."""
    return text.in_language(texts.lang)


def title(campaign: Campaign, texts: Catalogue) -> str:
    """Return the title of a campaign."""
    return of(campaign.title, texts)


def purpose(campaign: Campaign, texts: Catalogue) -> str:
    """Return the purpose of use of personal information."""
    return of(campaign.purpose.text, texts)


def who(event_class: EventClass, texts: Catalogue) -> str:
    """Describe who may apply for a class: pupils by grade, others by age, and pairs."""
    rule = event_class.eligibility
    parts = [*_by_grade([grade for grade in _GRADES if grade in rule.grades], texts)]
    if rule.min_age is not None:
        bounds = {"min": rule.min_age, "max": rule.max_age}
        parts.append(texts.say("who.from" if rule.max_age is None else "who.ages", **bounds))
    if rule.guardian_pair:
        parts.append(texts.say("who.pair"))
    return texts.say("who.and").join(parts)


def _by_grade(grades: Sequence[str], texts: Catalogue) -> list[str]:
    primary, junior = [[grade[1] for grade in grades if grade[0] == school] for school in "pj"]
    parts = [texts.say("who.primary", grades=_run(primary, texts))] if primary else []
    if len(junior) == len("123"):
        return [*parts, texts.say("who.junior-all")]
    return [*parts, texts.say("who.junior", grades=_run(junior, texts))] if junior else parts


def _run(years: Sequence[str], texts: Catalogue) -> str:
    """Return 2〜4 for 2, 3, 4; and 1、3 where there is a gap."""
    whole = len(years) > 1 and int(years[-1]) - int(years[0]) == len(years) - 1
    return texts.say("who.range", first=years[0], last=years[-1]) if whole else texts.say("who.and").join(years)


def _places(event_class: EventClass, texts: Catalogue) -> str:
    if len(event_class.seats) == 1 and event_class.seats[0] > 1:
        return texts.say("class.pairs", count=event_class.capacity // event_class.seats[0], people=event_class.capacity)
    return texts.say("class.people", count=event_class.capacity)


def _odds(event_class: EventClass) -> Odds:
    by_times = [odds(event_class.capacity, assumed(event_class.capacity, event_class.seats, times)) for times in _TIMES]
    sizes = sorted(set(event_class.seats))
    return Odds(_TIMES, tuple((size, tuple(round(100 * found[size]) for found in by_times)) for size in sizes))
