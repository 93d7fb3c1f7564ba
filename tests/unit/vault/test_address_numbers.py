"""Test the numbers that a barcode carries: the examples of Japan Post's manual, and properties."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.printroom.rules.address_numbers import after_town, extract
from shared.address_numerals import read_numeral

ADDRESS_TEXT = st.text("0123456789０１２３ABFabｆ-－‐−ー・&/. 　丁目番地号の棟室ハイツ一二十百三", max_size=40)


@pytest.mark.parametrize(
    ("after", "numbers"),
    [
        ("1丁目3番2号　郵便プラザ503室", "1-3-2-503"),
        ("1丁目11-32", "1-11-32"),
        ("3丁目30-8　郵便ビル403号", "3-30-8-403"),
        ("東3丁目-20-5　郵便・A&bコーポB604号", "3-20-5B604"),
        ("6丁目7-14　ABCビル2F", "6-7-14-2"),
        ("29丁目1524-23　第2郵便ハウス501", "29-1524-23-2-501"),
        ("3丁目80-25　J1ビル2-B", "3-80-25J1-2B"),
        ("　南田茂木　添60-1", "60-1"),
        ("私書箱第215号", "215"),
    ],
)
def test_the_examples_of_the_manual(after: str, numbers: str) -> None:
    assert extract(after) == numbers


@pytest.mark.parametrize(
    ("after", "numbers"),
    [
        ("三丁目二十番五号", "3-20-5"),
        ("二十三番地の百二", "23"),
        ("十二番地四", "12"),
        ("１－２－３", "1-2-3"),
        ("1ー2ー3", "1-2-3"),
        ("1−2‐3―4", "1-2-3-4"),
        ("3-1 タワー10F", "3-1-10"),
        ("字中山", ""),
        ("", ""),
    ],
)
def test_the_ways_people_write_numbers(after: str, numbers: str) -> None:
    assert extract(after) == numbers


@pytest.mark.parametrize(
    ("kanji", "value"), [("一", 1), ("十", 10), ("二十三", 23), ("百二", 102), ("二〇三", 203), ("千五百", 1500)]
)
def test_kanji_numbers(kanji: str, value: int) -> None:
    assert read_numeral(kanji) == value


@pytest.mark.parametrize(
    ("address", "city", "towns", "rest"),
    [
        ("東京都千代田区二番町3-5", "千代田区", ["二番町"], "3-5"),
        ("新宿区歌舞伎町 1丁目4番1号", "新宿区", ["歌舞伎町"], "1丁目4番1号"),
        ("東京都千代田区霞ヶ関1-2", "千代田区", ["霞が関"], "1-2"),
        ("西新宿2-8-1", "新宿区", ["西新宿"], "2-8-1"),
        ("東京都新宿区ある町5-6", "新宿区", ["西新宿"], "ある町5-6"),
        ("四谷本塩町4", "新宿区", ["四谷", "四谷本塩町"], "4"),
        ("どこか1-2", "", [], "どこか1-2"),
    ],
)
def test_the_address_is_cut_after_the_name_of_the_town(address: str, city: str, towns: list[str], rest: str) -> None:
    assert after_town(address, city, towns) == rest


@given(ADDRESS_TEXT)
def test_only_numbers_single_letters_and_single_hyphens_remain(after: str) -> None:
    numbers = extract(after)
    assert re.fullmatch(r"[0-9A-Z-]*", numbers)
    assert "--" not in numbers
    assert numbers == numbers.strip("-")
    assert not re.search(r"-[A-Z]|[A-Z]-", numbers)


@given(ADDRESS_TEXT)
def test_no_digit_is_lost_and_none_is_made_up(after: str) -> None:
    """Kanji numbers aside: they become digits."""
    plain = re.sub("[一二三十百]", "", after)
    wide = str.maketrans("０１２３", "0123")
    assert re.sub(r"\D", "", extract(plain)) == re.sub(r"[^0-9]", "", plain.translate(wide))


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 99))
def test_hyphens_and_words_give_the_same_numbers(chome: int, block: int, house: int) -> None:
    assert extract(f"{chome}丁目{block}番{house}号") == extract(f"{chome}-{block}-{house}")
