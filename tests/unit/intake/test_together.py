"""Calls made together: each gets its own answer, none joins work that began before it."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.batching import Together


class Work:
    """Doubles numbers, in batches it remembers; waits where it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.gate.wait()
        if 13 in numbers:
            raise ValueError("unlucky")
        return [2 * number for number in numbers]


async def test_calls_that_come_while_work_is_under_way_are_made_as_one():
    work = Work()
    together = Together(work, at_once=1)
    first = asyncio.create_task(together(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(together(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


async def test_an_error_goes_to_everyone_in_the_batch_and_to_nobody_after():
    work = Work()
    work.gate.set()
    together = Together(work)
    results = await asyncio.gather(together(13), together(1), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert await together(1) == 2


async def test_a_caller_who_leaves_does_not_disturb_the_others():
    work = Work()
    together = Together(work)
    leaving, staying = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0)
    leaving.cancel()
    work.gate.set()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_no_batch_is_larger_than_the_limit():
    work = Work()
    work.gate.set()
    together = Together(work, limit=3)
    assert await asyncio.gather(*map(together, range(10))) == [2 * number for number in range(10)]
    assert [len(batch) for batch in work.batches] == [3, 3, 3, 1]


async def test_work_is_done_side_by_side_up_to_its_bound():
    work = Work()
    together = Together(work, limit=1, at_once=3)
    calls = [asyncio.create_task(together(number)) for number in range(5)]
    await asyncio.sleep(0.01)
    assert work.batches == [[0], [1], [2]]
    work.gate.set()
    assert await asyncio.gather(*calls) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("at_once", [1, 4])
async def test_no_call_is_forgotten_however_calls_and_ends_of_work_fall_together(at_once: int):
    async def work(numbers: Sequence[int]) -> Sequence[int]:
        for _ in range(numbers[0] % 3):
            await asyncio.sleep(0)
        return numbers

    together = Together(work, limit=7, at_once=at_once)

    async def caller(number: int) -> list[int]:
        return [await together(number + turn) for turn in range(20)]

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*map(caller, range(50)))
    assert answers == [[number + turn for turn in range(20)] for number in range(50)]
