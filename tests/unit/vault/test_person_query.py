"""Queries of a handler are read, compared, and looked for in the bytes of the stored JSON first."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.identities.person import Identity
from services.vault.telephone.rules.masking import mask_age, mask_name, mask_phone
from services.vault.telephone.rules.query import PersonQuery, QueryError
from tests.support.identity_builders import CODE, person, pupil

texts = st.text(alphabet="髙高橋斎齋藤佐々檜桧さサｻトと一二郎子ヶケが丁目番 　-－1２", min_size=2, max_size=8)


@given(name=texts, address=texts, start=st.integers(0, 6), end=st.integers(2, 8))
def test_the_bytes_looked_for_first_are_in_everybody_whom_the_query_fits(name: str, address: str, start: int, end: int):
    someone = person(name=name, address=address)
    try:
        query = PersonQuery.parse({"name": name[start:end], "address": address[start:end]})
    except QueryError:
        return
    if query.matches(asdict(someone)):
        stored = Identity(someone, CODE).to_json()
        assert all(part in stored for part in query.certain_bytes)


@pytest.mark.parametrize(
    ("field", "text"),
    [("number", "W-7K3M-9Q2P-5"), ("phone", "123"), ("phone", "03-一二三四"), ("address", "1"), ("name", "あ" * 101)],
)
def test_what_cannot_be_searched_for_is_refused_by_its_field_and_without_the_text(field: str, text: str):
    with pytest.raises(QueryError) as refused:
        PersonQuery.parse({field: text})
    assert refused.value.field == field
    assert text not in str(refused.value)


def test_an_empty_form_is_no_search():
    with pytest.raises(QueryError) as refused:
        PersonQuery.parse({"name": "　"})
    assert refused.value.field is None


def test_all_parts_must_fit_and_a_guardian_counts_as_a_name():
    child = json.loads(Identity(pupil(guardian_name="齋藤 恵子"), CODE).to_json())["person"]
    assert PersonQuery.parse({"name": "斎藤恵子"}).matches(child)
    assert not PersonQuery.parse({"name": "斎藤恵子", "phone": "9999"}).matches(child)


@pytest.mark.parametrize(
    ("typed", "written"), [("桧山", "檜山 進"), ("佐佐木", "佐々木 愛"), ("ﾜﾀﾅﾍﾞ", "わたなべ けん"), ("渡邊", "渡辺 健")]
)
def test_another_writing_of_a_name_fits(typed: str, written: str):
    query = PersonQuery.parse({"name": typed})
    someone = person(name=written)
    assert query.matches(asdict(someone))
    assert all(part in Identity(someone, CODE).to_json() for part in query.certain_bytes)


def test_a_query_shows_nothing_of_what_was_typed():
    assert repr(PersonQuery.parse({"name": "髙橋"})) == "PersonQuery(…)"


def test_masks_tell_neither_the_length_of_a_name_nor_an_age():
    assert mask_name("森") == "森＊＊＊"
    assert mask_name("勘解由小路 花子") == "勘＊＊＊"
    assert mask_phone("0312345678").endswith("78")
    assert "3456" not in mask_phone("0312345678")
    assert mask_age(person(age=34)) == "30–"
