"""A value is computed once for concurrent requests, and again after it expired."""

import asyncio

import pytest

from services.lottery.statistics.cache import SingleFlightCache


class Counting:
    """Computation that counts its calls and can fail."""

    def __init__(self) -> None:
        self.done, self.fails = 0, False

    async def __call__(self) -> int:
        await asyncio.sleep(0)
        self.done += 1
        if self.fails:
            raise TimeoutError
        return self.done


async def test_concurrent_requests_share_one_computation():
    cache, count = SingleFlightCache[int](60), Counting()
    assert await asyncio.gather(*(cache.get("a", count) for _ in range(5))) == [1] * 5
    assert await cache.get("a", count) == 1
    assert await cache.get("b", count) == 2


async def test_an_expired_value_is_computed_again():
    cache, count = SingleFlightCache[int](0), Counting()
    assert await cache.get("a", count) == 1
    await asyncio.sleep(0.05)
    assert await cache.get("a", count) == 2


async def test_an_error_reaches_every_request_and_is_not_cached():
    cache, count = SingleFlightCache[int](60), Counting()
    count.fails = True
    with pytest.raises(TimeoutError):
        await cache.get("a", count)
    count.fails = False
    assert await cache.get("a", count) == 2


async def test_the_cache_keeps_a_limited_number_of_values():
    cache, count = SingleFlightCache[int](60), Counting()
    for key in range(100):
        await cache.get(key, count)
    assert await cache.get(99, count) == 100
    assert await cache.get(0, count) == 101
