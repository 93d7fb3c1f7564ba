"""Characters that a keyboard cannot type are found by their reading, as far as cards can show them."""

import pytest

from services.vault.papers.character_readings import CharacterReadings, to_reading
from shared.typesetting import Typesetter

KEYS = 9
"""Characters that the page offers under a number key."""


@pytest.fixture(scope="module")
def readings() -> CharacterReadings:
    return CharacterReadings(Typesetter().prints)


@pytest.mark.parametrize(
    ("typed", "wanted"), [("たか", "髙"), ("タカ", "髙"), ("ｻｷ", "﨑"), ("よし", "𠮷"), ("はま", "濵"), ("はま", "濱")]
)
def test_a_reading_in_any_kana_gives_the_rare_form_under_a_number_key(
    readings: CharacterReadings, typed: str, wanted: str
):
    reading = to_reading(typed)
    assert reading is not None
    assert wanted in readings.find(reading)[:KEYS]


@pytest.mark.parametrize("typed", ["高", "たか橋", "taka", "", "た か"])
def test_what_is_no_kana_is_no_reading(typed: str):
    assert to_reading(typed) is None


def test_an_unknown_reading_gives_nothing(readings: CharacterReadings):
    assert readings.find("ヌヌヌヌ") == ()


def test_a_character_that_no_card_can_show_is_never_offered():
    only_common = CharacterReadings(lambda character: character in "高崎吉浜鷹")
    assert set(only_common.find("タカ")) == {"高", "鷹"}
