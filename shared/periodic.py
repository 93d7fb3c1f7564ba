"""Periodic tasks: run again and again, and so also after a restart in the middle of one.

All instances run them; states in the database make sure that each effect happens once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from shared.campaign import Campaign
from shared.logging import describe, get_logger

PeriodicTask = Callable[[Campaign], Awaitable[object]]

_log = get_logger(__name__)

T = TypeVar("T")


async def attempt_each(items: Iterable[T], step: Callable[[T], Awaitable[object]]) -> None:
    """Take the step for each item, also for those after one that fails; then raise the first error."""
    errors: list[Exception] = []
    for item in items:
        try:
            await step(item)
        except Exception as error:  # noqa: BLE001  (it is raised below, once the others had their turn)
            errors.append(error)
    if errors:
        raise errors[0]


class PeriodicTasks:
    """Runs each task for each campaign, `every_s` seconds apart. A task that fails is run again."""

    def __init__(self, campaigns: Iterable[Campaign], steps: Sequence[PeriodicTask], *, every_s: float) -> None:
        self._campaigns, self._steps, self._every_s = tuple(campaigns), tuple(steps), every_s

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """PeriodicTasks while the block runs; a step under way when it ends is cancelled, and is safe to repeat."""
        task = asyncio.create_task(self._run(), name="watch")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            for campaign in self._campaigns:
                for step in self._steps:
                    await self._attempt(step, campaign)
            await asyncio.sleep(self._every_s)

    async def _attempt(self, step: PeriodicTask, campaign: Campaign) -> None:
        try:
            await step(campaign)
        except Exception as error:  # noqa: BLE001  (whatever it was, it is tried again; the watch must not end)
            _log.warning("watch-failed", campaign=campaign.id, **describe(error))
