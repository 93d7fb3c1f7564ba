"""Dates and classes in words: as announcements of a ward office have them, and in English."""

from datetime import datetime
from pathlib import Path

import pytest

from services.intake.pages import TEXTS, wording
from services.intake.pages.pinning import Pin
from shared.campaign import load_campaign
from shared.web.pages import catalogues_with

JA, EN = catalogues_with(TEXTS)
CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
WHO = {each.id: (wording.who(each, JA), wording.who(each, EN)) for each in CAMPAIGN.classes}


@pytest.mark.parametrize(
    ("at", "japanese", "english"),
    [
        ("2018-05-15T09:00:00+09:00", "2018年5月15日(火) 午前9時", "Tue 15 May 2018, 9:00"),
        ("2018-05-15T00:30:00Z", "2018年5月15日(火) 午前9時30分", "Tue 15 May 2018, 9:30"),
        ("2018-06-03T12:00:00+09:00", "2018年6月3日(日) 午後0時", "Sun 3 June 2018, 12:00"),
    ],
)
def test_a_moment_is_in_the_wards_time_with_its_weekday(at: str, japanese: str, english: str):
    assert wording.moment(datetime.fromisoformat(at), JA) == japanese
    assert wording.moment(datetime.fromisoformat(at), EN) == english


def test_a_deadline_at_midnight_is_the_end_of_the_day_before():
    midnight = datetime.fromisoformat("2018-05-29T00:00:00+09:00")
    assert wording.deadline(midnight, JA) == "2018年5月28日(月) 24時"
    assert wording.deadline(midnight, EN) == "Mon 28 May 2018, midnight"
    assert wording.deadline(datetime.fromisoformat("2018-05-28T17:00:00+09:00"), JA) == "2018年5月28日(月) 午後5時"


def test_who_may_take_a_class_is_said_in_runs_of_grades():
    assert WHO["junior-football"] == ("小学2〜4年生", "primary school year 2 to 4")
    assert WHO["escort-kids"] == ("小学1年生", "primary school year 1")
    assert WHO["attend-olympians"] == ("中学生", "junior high school pupils")
    assert WHO["adult-running"] == ("20歳以上", "aged 20 or over")
    assert WHO["parent-child-food"][0] == "小学4〜6年生、中学生、15歳から19歳まで、お子さまと保護者の2人1組"


def test_places_for_pairs_are_counted_in_pairs_and_in_people():
    food = next(each for each in CAMPAIGN.classes if each.id == "parent-child-food")
    assert wording.shown_class(food, JA).places == "190組 (380人)"
    assert wording.shown_class(food, EN).places == "190 pairs (380 people)"


def test_a_class_is_on_one_day_or_says_when_it_ends():
    starts = datetime.fromisoformat("2018-06-09T22:00:00+09:00")
    ends = datetime.fromisoformat("2018-06-10T01:00:00+09:00")
    assert wording.span(starts, ends, JA) == "2018年6月9日(土) 22:00〜2018年6月10日(日) 01:00"
    assert wording.span(starts, starts.replace(hour=23), EN) == "Sat 9 June 2018 22:00–23:00"


def test_a_pin_is_a_key_or_nothing_and_stays_what_it_was(tmp_path: Path):
    file, key = tmp_path / "pin", "A" * 43
    pin = Pin(file)
    assert (Pin(None).value(), pin.value()) == (None, None)
    file.write_text("not a key")
    assert pin.value() is None
    file.write_text(key + "\n")
    assert pin.value() == key
    file.write_text("B" * 43)
    assert pin.value() == key
