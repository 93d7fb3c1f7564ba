"""Combine calls that arrive at the same time into one call (micro-batching): one database request for many callers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Batcher(Generic[Item, Outcome]):
    """Call `process` with the items of all callers that arrived while it was busy.

    `process` returns one outcome per item, in the same order. It handles at most `limit` items per call and runs up to
    `concurrency` times at once. A single caller is not delayed. The order of calls is not preserved. A caller never
    joins a batch that has already begun, so its outcome is no older than its call. If `process` raises, each caller of
    that batch gets the exception.
    """

    def __init__(
        self, process: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]], limit: int = 200, concurrency: int = 4
    ) -> None:
        self._process, self._limit, self._concurrency = process, limit, concurrency
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._workers: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Outcome:
        """Return the outcome of `item`. Raises what `process` raises."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if len(self._workers) < self._concurrency:
            self._workers.add(asyncio.create_task(self._run()))
        return await outcome

    async def _run(self) -> None:
        """Process batches until no item waits.

        The worker removes itself without an await in between, so that the next call starts another worker.
        """
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._process_batch(batch)
        finally:
            self._workers = {worker for worker in self._workers if worker is not asyncio.current_task()}

    async def _process_batch(self, batch: list[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        """Set the outcome of each caller; skip callers that were cancelled (their future is done)."""
        try:
            outcomes = await self._process([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  (not swallowed: each caller gets it)
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)
