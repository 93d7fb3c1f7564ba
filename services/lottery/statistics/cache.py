"""Counts that several people look at again and again: made once, kept for a moment, longer where they are dear."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_SHARE = 20
"""At most one part in so many of the time is spent counting, however many people look."""
_MOST = 64


@dataclass(frozen=True)
class _Kept(Generic[T]):
    value: T
    until: float


class Remembered(Generic[T]):
    """By key; `shortest_s`: how old an answer may always be."""

    def __init__(self, shortest_s: float = 2.0) -> None:
        self._shortest_s = shortest_s
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The kept answer, or a new one; whoever asks while it is made waits for the same. Raises what `make` does."""
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept.until:
            return kept.value
        if key not in self._making:
            self._making[key] = asyncio.create_task(self._make(key, make))
        return await asyncio.shield(self._making[key])

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        started = time.monotonic()
        try:
            value = await make()
        finally:
            del self._making[key]
        ended = time.monotonic()
        self._kept[key] = _Kept(value, ended + max(self._shortest_s, _SHARE * (ended - started)))
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return value
