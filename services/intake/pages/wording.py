"""Dates, classes and who may apply, in the words of a language. Pure.

Times are the ward's (Asia/Tokyo); years are 西暦 with the weekday, as announcements of offices have them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.campaign import Campaign, EventClass
from shared.campaign.model import Text
from shared.catalogue import Catalogue

TOKYO: Final = ZoneInfo("Asia/Tokyo")
_GRADES: Final = ("p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3")
_WEEKDAYS_JA: Final = "月火水木金土日"


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


def moment(at: datetime, texts: Catalogue) -> str:
    """2018年5月15日(火) 午前9時 / Tue 15 May 2018, 9:00."""
    local = at.astimezone(TOKYO)
    return f"{_day(local, texts)}{_of_day(local, texts)}"


def deadline(at: datetime, texts: Catalogue) -> str:
    """As `moment`; midnight is the end of the day before, as people understand a last day."""
    local = at.astimezone(TOKYO)
    if (local.hour, local.minute) != (0, 0):
        return moment(at, texts)
    last = _day(local - timedelta(days=1), texts)
    return f"{last} 24時" if texts.lang == "ja" else f"{last}, midnight"


def span(starts: datetime, ends: datetime, texts: Catalogue) -> str:
    """A class's time: 2018年6月9日(土) 10:00〜11:30."""
    first, last = starts.astimezone(TOKYO), ends.astimezone(TOKYO)
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last, texts)} {last:%H:%M}"
    return f"{_day(first, texts)} {first:%H:%M}{'〜' if texts.lang == 'ja' else '–'}{end}"


def shown_class(each: EventClass, texts: Catalogue) -> ShownClass:
    return ShownClass(
        id=each.id,
        number=each.number,
        title=of(each.title, texts),
        who=who(each, texts),
        when=span(each.starts, each.ends, texts),
        place=of(each.place, texts),
        places=_places(each, texts),
    )


def of(text: Text, texts: Catalogue) -> str:
    """A text of the campaign file, which has Japanese and English; other languages read the English."""
    return text.ja if texts.lang == "ja" else text.en


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


def _day(local: datetime, texts: Catalogue) -> str:
    if texts.lang == "ja":
        return f"{local.year}年{local.month}月{local.day}日({_WEEKDAYS_JA[local.weekday()]})"
    return f"{local:%a} {local.day} {local:%B} {local.year}"


def _of_day(local: datetime, texts: Catalogue) -> str:
    if texts.lang != "ja":
        return f", {local.hour}:{local:%M}"
    half, hour = ("午前", local.hour) if local.hour < 12 else ("午後", local.hour - 12)  # noqa: PLR2004  (noon)
    return f" {half}{hour}時" + (f"{local.minute}分" if local.minute else "")
