"""Finding people in bytes: in every form, at every place, also across the edges of what is read at once."""

import base64
import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.closeout.residue import Search, base64_cores, forms, needles
from services.vault.identities.person import Person

PERSON = Person(
    "髙﨑 花子", "1600021", "新宿区歌舞伎町1-4-1", "0312345678", None, "p3", "hanako@example.jp", "髙﨑 太郎"
)


def hits(content: bytes, person: Person = PERSON) -> int:
    return Search(needles(person)).hits(io.BytesIO(content))


@pytest.mark.parametrize(
    "leak",
    [
        "髙﨑 花子".encode(),
        "髙﨑花子".encode(),
        "髙﨑 太郎".encode(),
        b"tel=0312345678;",
        "新宿区歌舞伎町1-4-1".encode(),
        "hanako@example.jp".encode("utf-16-le"),
        "髙﨑 花子".encode("utf-16-be"),
        json.dumps({"name": "髙﨑 花子"}).encode(),
        "髙﨑 花子".encode().hex().encode(),
        "髙﨑 花子".encode().hex().upper().encode(),
        base64.b64encode("名前: 髙﨑 花子 です".encode()),
        base64.urlsafe_b64encode(b"x" + "髙﨑 花子".encode() + b"y"),
        base64.b64encode("hanako@example.jp".encode("utf-16-le")),
    ],
)
def test_each_form_of_each_item_is_found(leak: bytes) -> None:
    assert hits(b"2018-06-18 something " + leak + b" something\n") >= 1


def test_a_log_without_people_is_clean() -> None:
    assert hits(b'{"event":"batch-printed","campaign":"777-days","pages":4}\n' * 1000) == 0


def test_another_person_is_not_found() -> None:
    other = Person("佐藤 一郎", "1600022", "新宿区新宿3-1-1", "0398765432", 40, None, None, None)
    assert hits("髙﨑 花子 0312345678".encode(), other) == 0


def test_the_postal_code_and_the_age_alone_name_nobody() -> None:
    assert hits(b"1600021 p3") == 0


@pytest.mark.parametrize("short", ["林", "ab", "12345"])
def test_what_is_found_everywhere_by_chance_is_not_looked_for(short: str) -> None:
    assert forms(short) == frozenset()


@given(st.integers(0, 40))
def test_what_lies_across_the_edge_of_a_chunk_is_found_once(offset: int) -> None:
    leak = b"0312345678"
    content = b"." * ((1 << 20) - offset) + leak + b"." * 50
    assert hits(content) == 1


@given(st.binary(min_size=8, max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_base64_of_anything_around_a_value_holds_one_of_its_cores(value: bytes, head: bytes, tail: bytes) -> None:
    whole = base64.b64encode(head + value + tail)
    assert any(core in whole for core in base64_cores(value))


def test_as_many_leaks_are_counted_as_there_are() -> None:
    spread = random.Random(7)  # noqa: S311  (noise of a test)
    content = b"".join(
        bytes(spread.choices(b"abcdefgh \n", k=spread.randrange(5000))) + b"0312345678" for _ in range(99)
    )
    assert hits(content) == 99


def test_files_are_read_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    log.write_bytes(b"x" * 3_000_000 + b"0312345678")
    with log.open("rb") as stream:
        assert Search(needles(PERSON)).hits(stream) == 1
