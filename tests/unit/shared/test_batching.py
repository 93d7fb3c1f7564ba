"""Batched calls: each gets its own outcome, and none joins a batch that began before it."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.batching import Batcher


class Doubler:
    """Double numbers and record the batches; wait until the gate opens."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.gate.wait()
        if 13 in numbers:
            raise ValueError("no doubling of 13")
        return [2 * number for number in numbers]


async def test_calls_during_a_batch_share_the_next_batch():
    doubler = Doubler()
    batcher = Batcher(doubler, concurrency=1)
    first = asyncio.create_task(batcher(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(batcher(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    doubler.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert doubler.batches == [[1], [2, 3, 4]]


async def test_an_error_reaches_all_callers_of_the_batch_and_no_later_one():
    doubler = Doubler()
    doubler.gate.set()
    batcher = Batcher(doubler)
    results = await asyncio.gather(batcher(13), batcher(1), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    assert await batcher(1) == 2


async def test_a_cancelled_caller_does_not_disturb_the_others():
    doubler = Doubler()
    batcher = Batcher(doubler)
    leaving, staying = asyncio.create_task(batcher(1)), asyncio.create_task(batcher(2))
    await asyncio.sleep(0)
    leaving.cancel()
    doubler.gate.set()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_no_batch_is_larger_than_the_limit():
    doubler = Doubler()
    doubler.gate.set()
    batcher = Batcher(doubler, limit=3)
    assert await asyncio.gather(*map(batcher, range(10))) == [2 * number for number in range(10)]
    assert [len(batch) for batch in doubler.batches] == [3, 3, 3, 1]


async def test_batches_run_concurrently_up_to_the_bound():
    doubler = Doubler()
    batcher = Batcher(doubler, limit=1, concurrency=3)
    calls = [asyncio.create_task(batcher(number)) for number in range(5)]
    await asyncio.sleep(0.01)
    assert doubler.batches == [[0], [1], [2]]
    doubler.gate.set()
    assert await asyncio.gather(*calls) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_every_call_returns_when_calls_and_ends_of_batches_coincide(concurrency: int):
    async def doubler(numbers: Sequence[int]) -> Sequence[int]:
        for _ in range(numbers[0] % 3):
            await asyncio.sleep(0)
        return numbers

    batcher = Batcher(doubler, limit=7, concurrency=concurrency)

    async def caller(number: int) -> list[int]:
        return [await batcher(number + turn) for turn in range(20)]

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*map(caller, range(50)))
    assert answers == [[number + turn for turn in range(20)] for number in range(50)]
