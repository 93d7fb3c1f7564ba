"""The quick look before the exact search: whatever stands in a log stays, nearly everything else goes."""

import io
import random
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.closeout.log_grams import LogGrams
from services.vault.closeout.residue import forms


def grams_of(content: bytes) -> LogGrams:
    grams = LogGrams(len(content))
    grams.add(io.BytesIO(content))
    return grams


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=60), st.binary(max_size=60))
def test_what_stands_in_a_log_is_never_excluded(head: bytes, form: bytes, tail: bytes) -> None:
    assert grams_of(head + form + tail).possible([form]) == {form}


@given(st.integers(0, 40), st.integers(8, 30))
def test_what_lies_across_the_edge_of_a_chunk_is_not_excluded(offset: int, length: int) -> None:
    form = secrets.token_bytes(length)
    assert form in grams_of(b"." * ((1 << 20) - offset) + form + b"." * 50).possible([form])


def test_several_logs_go_into_one_table() -> None:
    grams = LogGrams(100)
    for log in (b"x 0312345678 y", b"z 0398765432"):
        grams.add(io.BytesIO(log))
    assert grams.possible([b"0312345678", b"0398765432"]) == {b"0312345678", b"0398765432"}


def test_a_form_that_is_shorter_than_the_sequences_of_the_table_stays() -> None:
    assert grams_of(b"").possible([b"1234567"]) == {b"1234567"}


def test_nearly_all_forms_are_excluded_from_a_log_full_of_digits_and_ids() -> None:
    spread = random.Random(3)  # noqa: S311  (a log of a test)

    lines = [b'{"id":"%b"}\n' % spread.randbytes(16).hex().encode() for _ in range(20_000)]
    wanted = {form for _ in range(200) for form in forms(f"03{spread.randrange(10**8):08d}")}
    assert len(grams_of(b"".join(lines)).possible(wanted)) < len(wanted) // 100


@pytest.mark.parametrize("size", [0, 1, 7])
def test_an_empty_or_tiny_log_excludes_all_long_forms(size: int) -> None:
    assert grams_of(b"x" * size).possible([b"0312345678"]) == set()
