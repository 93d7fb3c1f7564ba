"""Counts are made once for all who look at the same time, and again when they have become old."""

import asyncio

import pytest

from services.lottery.statistics.cache import SingleFlightCache


class Counting:
    """Something dear that says how often it was done."""

    def __init__(self) -> None:
        self.done, self.fails = 0, False

    async def __call__(self) -> int:
        await asyncio.sleep(0)
        self.done += 1
        if self.fails:
            raise TimeoutError
        return self.done


async def test_all_who_ask_at_once_get_one_answer():
    remembered, count = SingleFlightCache[int](60), Counting()
    assert await asyncio.gather(*(remembered.get("a", count) for _ in range(5))) == [1] * 5
    assert await remembered.get("a", count) == 1
    assert await remembered.get("b", count) == 2


async def test_an_old_answer_is_made_anew():
    remembered, count = SingleFlightCache[int](0), Counting()
    assert await remembered.get("a", count) == 1
    await asyncio.sleep(0.05)
    assert await remembered.get("a", count) == 2


async def test_a_failure_is_told_to_everybody_and_kept_for_nobody():
    remembered, count = SingleFlightCache[int](60), Counting()
    count.fails = True
    with pytest.raises(TimeoutError):
        await remembered.get("a", count)
    count.fails = False
    assert await remembered.get("a", count) == 2


async def test_no_more_is_kept_than_somebody_could_look_at():
    remembered, count = SingleFlightCache[int](60), Counting()
    for key in range(100):
        await remembered.get(key, count)
    assert await remembered.get(99, count) == 100
    assert await remembered.get(0, count) == 101
