"""Dates in words: as announcements of a ward office have them, and in English."""

from datetime import datetime

import pytest

from services.intake.pages import TEXTS
from shared import dates
from shared.web.pages import catalogues_with

JA, EN = catalogues_with(TEXTS)


@pytest.mark.parametrize(
    ("at", "japanese", "english"),
    [
        ("2018-05-15T09:00:00+09:00", "2018年5月15日(火) 午前9時", "Tue 15 May 2018, 9:00"),
        ("2018-05-15T00:30:00Z", "2018年5月15日(火) 午前9時30分", "Tue 15 May 2018, 9:30"),
        ("2018-06-03T12:00:00+09:00", "2018年6月3日(日) 午後0時", "Sun 3 June 2018, 12:00"),
    ],
)
def test_a_moment_is_in_the_wards_time_with_its_weekday(at: str, japanese: str, english: str):
    assert dates.format_moment(datetime.fromisoformat(at), JA) == japanese
    assert dates.format_moment(datetime.fromisoformat(at), EN) == english


def test_a_deadline_at_midnight_is_the_end_of_the_day_before():
    midnight = datetime.fromisoformat("2018-05-29T00:00:00+09:00")
    assert dates.format_deadline(midnight, JA) == "2018年5月28日(月) 24時"
    assert dates.format_deadline(midnight, EN) == "Mon 28 May 2018, midnight"
    assert dates.format_deadline(datetime.fromisoformat("2018-05-28T17:00:00+09:00"), JA) == "2018年5月28日(月) 午後5時"


def test_a_class_is_on_one_day_or_says_when_it_ends():
    starts = datetime.fromisoformat("2018-06-09T22:00:00+09:00")
    ends = datetime.fromisoformat("2018-06-10T01:00:00+09:00")
    assert dates.format_span(starts, ends, JA) == "2018年6月9日(土) 22:00〜2018年6月10日(日) 01:00"
    assert dates.format_span(starts, starts.replace(hour=23), EN) == "Sat 9 June 2018 22:00–23:00"
