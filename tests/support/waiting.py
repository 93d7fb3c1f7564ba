"""Wait for a condition instead of a time, so that a busy machine fails no test."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], Any], timeout_s: float = 60.0) -> None:
    """Wait until `condition` (a plain or an async function) returns a true value. Fails the test after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        assert time.monotonic() < ends, f"the condition did not hold within {timeout_s:g} s"
        await asyncio.sleep(0.02)


async def await_all(*awaitables: Awaitable[T]) -> list[T]:
    """Await all at once and return their results in order.

    If one raises, the others are cancelled and awaited before the error propagates, so that none uses a store or a
    connection that the test's fixtures close.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def block_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait in a test without an event loop until `condition` returns True. Fails the test after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, f"the condition did not hold within {timeout_s:g} s"
        time.sleep(0.05)
