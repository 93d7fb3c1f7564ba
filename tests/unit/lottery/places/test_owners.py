"""How receipt numbers and codes may be typed, and how often wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.places.ownership import WINDOW_S, TooManyTries, Tries, normalise_code


class PeriodicTasks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_letters_that_look_like_digits_are_digits_in_a_code():
    assert normalise_code("oiloILOO00001111") == "0110-1100-0000-1111"


@given(st.text(max_size=60))
def test_any_typed_code_becomes_something_that_can_be_compared(typed: str):
    normalised = normalise_code(typed)
    assert normalised.isascii()
    assert normalised == normalised.upper()


def test_wrong_codes_for_one_number_close_that_number_for_a_while_and_no_other():
    watch = PeriodicTasks()
    tries = Tries(watch)
    for _ in range(10):
        tries.check("one")
        tries.wrong("one")
    with pytest.raises(TooManyTries):
        tries.check("one")
    tries.check("other")
    watch.now = WINDOW_S + 1
    tries.check("one")


def test_nobody_is_shut_out_by_what_others_type_and_memory_has_an_end():
    tries = Tries(PeriodicTasks())
    for number in range(12_000):
        tries.wrong(str(number))
    tries.check("mine")
    assert len(tries._at) == 10_000
