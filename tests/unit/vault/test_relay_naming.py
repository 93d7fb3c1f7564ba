"""Test the search for names in a text: in doubt it finds one, but ordinary texts contain none."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.mail.relay.naming import names_one_of
from tests.unit.vault.test_relay_messages import CAMPAIGN

NAMES = st.text(st.characters(categories=("Lo", "Lu", "Ll", "Nd")), min_size=2, max_size=20)
TEXTS = st.text(max_size=60)


@given(TEXTS, NAMES, TEXTS)
def test_a_name_set_off_by_spaces_is_found_wherever_it_stands(before: str, name: str, after: str) -> None:
    assert names_one_of([name], f"{before} {name} {after}")


@given(TEXTS, st.text("髙﨑𠮷田花子一郎太次", min_size=2, max_size=6), TEXTS)
def test_a_japanese_name_is_found_within_running_text(before: str, name: str, after: str) -> None:
    assert names_one_of([name], f"{before}{name}{after}")


@given(st.text("髙﨑𠮷田花子一郎太次", min_size=2, max_size=6), st.data())
def test_a_name_broken_anywhere_is_found(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(name) - 1))
    for between in (" ", "\n", "\r\n ", "\u3000", "\u200b", "\u00ad"):
        assert names_one_of([name], f"拝啓 {name[:at]}{between}{name[at:]} 様")


@pytest.mark.parametrize("name", ["An", "Le An", "LI NA", "Ana", "ｱﾝ ﾅ"])
def test_a_short_latin_name_hides_in_no_word(name: str) -> None:
    assert not names_one_of([name], "Thank you for applying; the planning, a banana, clean lines and many reasons.")


@pytest.mark.parametrize("text", ["Dear Li Na,", "dear LI  NA", "to Li, Na", "Ｌｉ　Ｎａ", "Li\r\nNa"])
def test_a_short_latin_name_is_found_as_words(text: str) -> None:
    assert names_one_of(["Li Na"], text)


@pytest.mark.parametrize("name", ["髙﨑 花子", "山田 太郎", "林 一", "佐藤 優", "Li Na", "An", "John Smith", "Ito Io"])
def test_a_text_to_many_names_no_recipient_by_chance(name: str) -> None:
    subject = f"【{CAMPAIGN.title.ja}】中止のお知らせ"
    text = f"「{CAMPAIGN.title.ja}」は、雨のため中止します。\n\n{CAMPAIGN.title.en}: cancelled because of rain."
    assert not names_one_of([name], f"Subject: {subject}\n{text}")


def test_width_and_case_do_not_hide_an_address() -> None:
    wide = "".join(
        unicodedata.lookup(f"FULLWIDTH LATIN SMALL LETTER {each}") if each.isalpha() else each for each in "a@b.example"
    )
    assert names_one_of(["A@B.example"], f"<{wide}>")
    assert not names_one_of([""], "anything")
