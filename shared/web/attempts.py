"""Limits for failed attempts to prove something: guessing a secret must be slow. In memory of this process."""

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

    async def allows(self, key: str = _ALL_CALLERS) -> bool:
        """Return True if another attempt may be made now."""
        return await self._limiter.test(self._limit, key)

    async def record_failure(self, key: str = _ALL_CALLERS) -> None:
        """Count a failed attempt."""
        await self._limiter.hit(self._limit, key)

    async def take(self, key: str = _ALL_CALLERS) -> bool:
        """Count an attempt before it is made; return False if it exceeds the limit. Parallel attempts all count."""
        return await self._limiter.hit(self._limit, key)
