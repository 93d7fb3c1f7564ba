"""Keep a paper that is inspected slowly from holding up the papers behind it.

An inspection that is not over after a few seconds goes on beside the queue. Its message is tried again later, as after
any passing trouble, and finds the result then.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from shared.errors import TransientError
from shared.ids import PaperId

T = TypeVar("T")

QUICK_S: Final = 5.0
"""Longest time that one paper holds up the others; inspecting a fax takes a tenth of it on a busy machine."""
MOST_SLOW: Final = 4
"""Inspections that go on beside the queue. Each is a process with bounds of its own (`confinement.py`)."""


class SlowPaperError(TransientError):
    """Raised while a paper is still being inspected: its message is tried again later."""


class SlowLane(Generic[T]):
    """Run inspections, each for a short time in turn and then beside the queue."""

    def __init__(self, quick_s: float = QUICK_S, most: int = MOST_SLOW) -> None:
        self._quick_s, self._most = quick_s, most
        self._beside: dict[PaperId, asyncio.Task[T]] = {}

    async def get(self, paper_id: PaperId, inspect: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the paper's inspection, which is begun once. Raises SlowPaperError, and what `inspect` raises."""
        task = self._beside.get(paper_id)
        if task is None:
            task = asyncio.create_task(inspect())
            await self._wait(task)
        if task.done():
            self._beside.pop(paper_id, None)
            return task.result()
        if paper_id not in self._beside:
            self._put_beside(paper_id, task)
        raise SlowPaperError("the paper is still being inspected")

    async def _wait(self, task: asyncio.Task[T]) -> None:
        try:
            await asyncio.wait({task}, timeout=self._quick_s)
        except asyncio.CancelledError:
            task.cancel()
            raise

    def _put_beside(self, paper_id: PaperId, task: asyncio.Task[T]) -> None:
        """Let the inspection go on; end it where too many do. Results that no message asks for any more make room."""
        for other in [name for name, one in self._beside.items() if one.done()]:
            if len(self._beside) >= self._most:
                del self._beside[other]
        if len(self._beside) >= self._most:
            task.cancel()
            return
        self._beside[paper_id] = task
        task.add_done_callback(_read_error)


def _read_error(task: asyncio.Task[Any]) -> None:
    """Read the error, because the message may come again to another process."""
    if not task.cancelled():
        task.exception()
