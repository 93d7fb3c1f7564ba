"""Typed codes, and the limit of wrong codes."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.places.ownership import AttemptLimit, TooManyAttemptsError, normalise_code


def test_letters_that_look_like_digits_are_digits_in_a_code():
    assert normalise_code("oiloILOO00001111") == "0110-1100-0000-1111"


@given(st.text(max_size=60))
def test_any_typed_code_becomes_something_that_can_be_compared(typed: str):
    normalised = normalise_code(typed)
    assert normalised.isascii()
    assert normalised == normalised.upper()


async def test_ten_wrong_codes_block_their_receipt_number_until_the_window_ends():
    limit = AttemptLimit(window_s=1)
    for _ in range(10):
        await limit.check("one")
        await limit.count_wrong("one")
    with pytest.raises(TooManyAttemptsError):
        await limit.check("one")
    await limit.check("other")
    await asyncio.sleep(1.1)
    await limit.check("one")


async def test_wrong_codes_for_many_numbers_block_no_other_number():
    limit = AttemptLimit()
    for number in range(12_000):
        await limit.count_wrong(str(number))
    await limit.check("mine")


async def test_a_flood_of_numbers_does_not_clear_the_wrong_codes_of_another_number():
    limit = AttemptLimit()
    for _ in range(10):
        await limit.count_wrong("guessed")
    for number in range(10_100):
        await limit.count_wrong(str(number))
    assert limit.records_before(datetime.max.replace(tzinfo=UTC)) <= 10_000
    with pytest.raises(TooManyAttemptsError):
        await limit.check("guessed")
