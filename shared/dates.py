"""Dates in the words of a language. Pure.

Times are the ward's (Asia/Tokyo); years are 西暦 with the weekday, as announcements of offices have them.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.catalogue import Catalogue

TOKYO: Final = ZoneInfo("Asia/Tokyo")
WEEKDAYS_JA: Final = "月火水木金土日"


def format_moment(at: datetime, texts: Catalogue) -> str:
    """Format a time: 2018年5月15日(火) 午前9時 / Tue 15 May 2018, 9:00."""
    local = at.astimezone(TOKYO)
    return f"{_day(local, texts)}{_of_day(local, texts)}"


def format_deadline(at: datetime, texts: Catalogue) -> str:
    """Format as `format_moment`, with midnight as the end of the day before."""
    local = at.astimezone(TOKYO)
    if (local.hour, local.minute) != (0, 0):
        return format_moment(at, texts)
    last = _day(local - timedelta(days=1), texts)
    return f"{last} 24時" if texts.lang == "ja" else f"{last}, midnight"


def format_span(starts: datetime, ends: datetime, texts: Catalogue) -> str:
    """Format the time of a class: 2018年6月9日(土) 10:00〜11:30."""
    first, last = starts.astimezone(TOKYO), ends.astimezone(TOKYO)
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{_day(last, texts)} {last:%H:%M}"
    return f"{_day(first, texts)} {first:%H:%M}{'〜' if texts.lang == 'ja' else '–'}{end}"


def _day(local: datetime, texts: Catalogue) -> str:
    if texts.lang == "ja":
        return f"{local.year}年{local.month}月{local.day}日({WEEKDAYS_JA[local.weekday()]})"
    return f"{local:%a} {local.day} {local:%B} {local.year}"


def _of_day(local: datetime, texts: Catalogue) -> str:
    if texts.lang != "ja":
        return f", {local.hour}:{local:%M}"
    half, hour = ("午前", local.hour) if local.hour < 12 else ("午後", local.hour - 12)  # noqa: PLR2004  (noon)
    return f" {half}{hour}時" + (f"{local.minute}分" if local.minute else "")
