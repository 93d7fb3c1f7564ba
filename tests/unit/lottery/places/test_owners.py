"""How receipt numbers and codes may be typed, and how often wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.places.owners import WINDOW_S, TooManyTries, Tries, spelled_code, spelled_receipt


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("typed", ["w7k3m9q2px", " W-7K3M-9Q2P-X ", "Ｗ－７Ｋ３Ｍ－９Ｑ２Ｐ－Ｘ", "w 7k3m 9q2p x"])
def test_a_receipt_number_is_read_however_it_is_typed(typed: str):
    assert spelled_receipt(typed) == "W-7K3M-9Q2P-X"


def test_letters_that_look_like_digits_are_digits():
    assert spelled_receipt("W-OIL1-0000-0") == "W-0111-0000-0"
    assert spelled_code("oiloILOO00001111") == "0110-1100-0000-1111"


@given(st.text(max_size=60))
def test_whatever_is_typed_becomes_something_that_can_be_compared(typed: str):
    for spelled in (spelled_receipt(typed), spelled_code(typed)):
        assert spelled.isascii()
        assert spelled == spelled.upper()


def test_wrong_codes_for_one_number_close_that_number_for_a_while_and_no_other():
    watch = Watch()
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
    tries = Tries(Watch())
    for number in range(12_000):
        tries.wrong(str(number))
    tries.check("mine")
    assert len(tries._at) == 10_000
