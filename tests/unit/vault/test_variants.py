"""Test match keys of characters: old and new forms, radicals, and what must stay apart."""

import json
from pathlib import Path

import pytest

from services.vault.applications.rules.match_keys import address_match_key, name_match_key
from services.vault.applications.rules.normalise import display
from services.vault.applications.rules.variants import fold_characters
from tests.support.duplicate_search import READINGS

CASES = json.loads((Path(__file__).resolve().parents[2] / "cases" / "old_and_new.json").read_text("utf-8"))
OLD_AND_NEW = " ".join(CASES["pairs"]).split()
APART = "田佃 子仔 谷穀 西栖 木本 太大 美実 郎朗 佐左 久灸 吉桔 九玖 才哉 俊駿 昇升 李季 未末 土士"


@pytest.mark.parametrize("forms", OLD_AND_NEW)
def test_old_and_new_form_have_one_key(forms: str):
    assert fold_characters(forms[0]) == fold_characters(forms[1])


@pytest.mark.parametrize("pair", APART.split())
def test_other_characters_of_names_stay_apart(pair: str):
    assert fold_characters(pair[0]) != fold_characters(pair[1])


@pytest.mark.parametrize(
    ("one", "other"),
    [("佐々木", "佐佐木"), ("高𣘺", "髙橋"), ("𠮷田", "吉田"), ("桧山", "檜山"), ("中嶋", "中島"), ("圡井", "土井")],
)
def test_two_forms_of_a_surname_have_one_key(one: str, other: str):
    assert name_match_key(f"{one} 蓮", READINGS).whole == name_match_key(f"{other} 蓮", READINGS).whole


def test_folding_twice_changes_nothing():
    for forms in OLD_AND_NEW:
        assert fold_characters(fold_characters(forms)) == fold_characters(forms)


@pytest.mark.parametrize(
    ("copied", "typed"), [("⽥中 ⻑太", "田中 長太"), ("⻘⽊ ⼀郎", "青木 一郎"), ("⾼⽊ 亮", "高木 亮")]
)
def test_a_radical_out_of_a_pdf_becomes_the_character_that_can_be_printed(copied: str, typed: str):
    assert display(copied) == typed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京都新宿区西新宿2-8-1", "西新宿2-8-1"),
        ("新宿区西新宿二丁目八番一号", "西新宿2-8-1"),
        ("霞ヶ関1丁目104番", "霞が関一丁目百四番"),
        ("新宿区市谷加賀町1-2-3", "市谷加賀町1丁目2番3号"),
        ("神奈川県横浜市中区本町1-1", "横浜市中区本町1-1"),
    ],
)
def test_one_address_with_and_without_its_municipality_has_one_key(one: str, other: str):
    assert address_match_key(one) == address_match_key(other)


@pytest.mark.parametrize(
    ("name", "surname", "given"), [("田中 美咲", "たなか", "みさき"), ("五十嵐 健", "いがらし", "たける")]
)
def test_a_name_has_the_readings_of_the_dictionary(name: str, surname: str, given: str):
    key = name_match_key(name, READINGS)
    assert surname in key.surname_readings
    assert given in key.given_readings
