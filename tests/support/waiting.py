"""Wait for a condition instead of a time, so that a busy machine fails no test."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], timeout_s: float = 20.0) -> None:
    """Wait until `condition` (a plain or an async function) returns a true value. Fails the test after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        assert time.monotonic() < ends, f"the condition did not hold within {timeout_s:g} s"
        await asyncio.sleep(0.02)


def block_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait in a test without an event loop until `condition` returns True. Fails the test after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, f"the condition did not hold within {timeout_s:g} s"
        time.sleep(0.05)
