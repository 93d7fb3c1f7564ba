"""Cache values that many requests need: compute each once, and keep it longer the longer it took to compute."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_KEPT_PER_COST: Final = 20
"""A value is kept for so many times the time that it took: at most 5 % of the time is spent computing."""
_MOST: Final = 64
"""Values that are kept."""


@dataclass(frozen=True)
class _CachedValue(Generic[T]):
    """Value, and the time on the monotonic clock until which it is kept."""

    value: T
    expires_at: float


class SingleFlightCache(Generic[T]):
    """Caches values by key for at least `shortest_s` seconds; concurrent requests share one computation."""

    def __init__(self, shortest_s: float = 2.0) -> None:
        self._shortest_s = shortest_s
        self._values: OrderedDict[Hashable, _CachedValue[T]] = OrderedDict()
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Return the cached value, or compute it. Raises what `compute` raises; an error is not cached."""
        cached = self._values.get(key)
        if cached is not None and time.monotonic() < cached.expires_at:
            return cached.value
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._compute(key, compute))
        return await asyncio.shield(self._running[key])

    async def _compute(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        started = time.monotonic()
        try:
            value = await compute()
        finally:
            del self._running[key]
        self._keep(key, value, time.monotonic() - started)
        return value

    def _keep(self, key: Hashable, value: T, cost_s: float) -> None:
        kept_s = max(self._shortest_s, _KEPT_PER_COST * cost_s)
        self._values[key] = _CachedValue(value, time.monotonic() + kept_s)
        self._values.move_to_end(key)
        while len(self._values) > _MOST:
            self._values.popitem(last=False)
