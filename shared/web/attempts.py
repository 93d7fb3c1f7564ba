"""Limits for failed attempts to prove something: guessing a secret must be slow. In memory of this process."""

import time
from collections import Counter
from typing import Final

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

_ALL_CALLERS: Final = "all"


class AttemptLimit:
    """Allows `most` attempts within `window_s` seconds, counted for all callers together or per key."""

    def __init__(self, most: int, window_s: int) -> None:
        self._limit: RateLimitItem = RateLimitItemPerSecond(most, window_s)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._under_way = Counter[str]()

    async def allows(self, key: str = _ALL_CALLERS) -> bool:
        """Return True if another attempt may be made now."""
        return await self._limiter.test(self._limit, key)

    async def record_failure(self, key: str = _ALL_CALLERS) -> None:
        """Count a failed attempt."""
        await self._limiter.hit(self._limit, key)

    async def take(self, key: str = _ALL_CALLERS) -> bool:
        """Count an attempt before it is made; return False if it exceeds the limit. Parallel attempts all count."""
        return await self._limiter.hit(self._limit, key)

    async def begin(self, key: str = _ALL_CALLERS) -> bool:
        """Return True if an attempt may be made that counts only if it fails; then call `end` when it is over.

        Until then it counts like a failed one, so that parallel attempts are no way around the limit.
        """
        self._under_way[key] += 1
        if await self._limiter.test(self._limit, key, cost=self._under_way[key]):
            return True
        self._leave(key)
        return False

    async def end(self, key: str = _ALL_CALLERS, *, failed: bool) -> None:
        """End an attempt that `begin` allowed."""
        if failed:
            await self._limiter.hit(self._limit, key)
        self._leave(key)

    async def wait_s(self, key: str = _ALL_CALLERS) -> float:
        """Return the seconds until the oldest attempt of this key is forgotten; at least one."""
        stats = await self._limiter.get_window_stats(self._limit, key)
        return max(1.0, stats.reset_time - time.time())

    def _leave(self, key: str) -> None:
        self._under_way[key] -= 1
        if self._under_way[key] <= 0:
            del self._under_way[key]
