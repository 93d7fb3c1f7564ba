"""Queries of a handler are read, compared, and looked for in the bytes of the stored JSON first."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.applications.readings import NameReadings
from services.vault.applications.rules.normalise import address_key
from services.vault.identities.person import Identity, Person, read_searched
from services.vault.telephone.rules.masking import mask_age, mask_name, mask_phone
from services.vault.telephone.rules.query import PersonComparison, PersonQuery, QueryError
from services.vault.telephone.rules.spoken_name import folded_name
from tests.support.identity_builders import CODE, person, pupil

READINGS = NameReadings().of


def fits(query: PersonQuery, someone: Person) -> bool:
    return PersonComparison(query, READINGS).fits(read_searched(Identity(someone, CODE).to_json()))


texts = st.text(alphabet="髙高橋斎齋藤佐々檜桧さサｻトと一二郎子ヶケが丁目番 　-－1２", min_size=2, max_size=8)


@given(name=texts, address=texts, start=st.integers(0, 6), end=st.integers(2, 8))
def test_the_bytes_looked_for_first_are_in_everybody_whom_the_query_fits(name: str, address: str, start: int, end: int):
    someone = person(name=name, address=address)
    try:
        query = PersonQuery.parse({"name": name[start:end], "address": address[start:end]})
    except QueryError:
        return
    if fits(query, someone):
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
    child = pupil(guardian_name="齋藤 恵子")
    assert fits(PersonQuery.parse({"name": "斎藤恵子"}), child)
    assert not fits(PersonQuery.parse({"name": "斎藤恵子", "phone": "9999"}), child)


@pytest.mark.parametrize(
    ("typed", "written"), [("桧山", "檜山 進"), ("佐佐木", "佐々木 愛"), ("ﾜﾀﾅﾍﾞ", "わたなべ けん"), ("渡邊", "渡辺 健")]
)
def test_another_writing_of_a_name_fits(typed: str, written: str):
    query = PersonQuery.parse({"name": typed})
    someone = person(name=written)
    assert fits(query, someone)
    assert all(part in Identity(someone, CODE).to_json() for part in query.certain_bytes)


@pytest.mark.parametrize(
    ("typed", "written", "fit"),
    [
        ("たかはし", "髙橋 一郎", True),
        ("タカハシイチロウ", "髙橋 一郎", True),
        ("はしいち", "髙橋 一郎", True),
        ("たかはし いちろう", "髙橋一郎", True),
        ("サイトウ", "齋藤 恵子", True),
        ("わたなべ 健", "渡邉 健", True),
        ("渡辺 けん", "渡邊 健", True),
        ("わたなべ けん", "ワタナベ ケン", True),
        ("いちろうたかはし", "髙橋 一郎", False),
        ("けん わたなべ", "渡邊 健", False),
        ("たかはし じろう", "髙橋 一郎", False),
        ("ー", "髙橋 一郎", False),
        ("いちろう", "髙橋 花子", False),
    ],
)
def test_a_name_said_in_kana_finds_the_kanji_that_are_read_so(typed: str, written: str, *, fit: bool):
    query, someone = PersonQuery.parse({"name": typed}), person(name=written)
    assert fits(query, someone) is fit
    if fit:
        assert all(part in Identity(someone, CODE).to_json() for part in query.certain_bytes)


@given(
    name=st.text(alphabet="髙高橋佐々サｻト一郎 ゙", min_size=1, max_size=6),
    start=st.integers(0, 5),
    end=st.integers(1, 6),
)
def test_whatever_folding_makes_of_a_name_is_found_by_it(name: str, start: int, end: int):
    typed = name[start:end]
    if typed.strip():
        query = PersonQuery.parse({"name": typed})
        assert folded_name(typed.replace(" ", "")) not in folded_name(name) or fits(query, person(name=name))


@given(st.text(alphabet='髙"\\/\n\u2028\x00{}:,', max_size=8), st.text(max_size=8), st.none() | st.text(max_size=4))
def test_the_short_way_reads_of_any_identity_what_the_long_way_reads(name: str, address: str, guardian: str | None):
    someone = pupil(name=name, address=address, guardian_name=guardian, email=f"{name}@{address}")
    read = read_searched(Identity(someone, CODE).to_json())
    whole = asdict(someone)
    assert {key: read[key] for key in ("name", "postal_code", "address", "phone", "guardian_name")} == {
        key: whole[key] for key in ("name", "postal_code", "address", "phone", "guardian_name")
    }


@given(
    address=st.text(alphabet="新宿区0123456789一二十丁目番地のケ ①-－１Ⅲ", min_size=2, max_size=12),
    start=st.integers(0, 10),
    end=st.integers(2, 12),
)
def test_an_address_that_lacks_a_number_is_passed_over_only_where_its_key_lacks_it(address: str, start: int, end: int):
    try:
        query = PersonQuery.parse({"address": address[start:end]})
    except QueryError:
        return
    if query.address and query.address in address_key(address):
        assert fits(query, person(address=address))


def test_a_query_shows_nothing_of_what_was_typed():
    assert repr(PersonQuery.parse({"name": "髙橋"})) == "PersonQuery(…)"


def test_masks_tell_neither_the_length_of_a_name_nor_an_age():
    assert mask_name("森") == "森＊＊＊"
    assert mask_name("勘解由小路 花子") == "勘＊＊＊"
    assert mask_phone("0312345678").endswith("78")
    assert "3456" not in mask_phone("0312345678")
    assert mask_age(person(age=34)) == "30–"
