"""Calls that come at the same time are made as one: the database is asked once for many (architecture, batches)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Together(Generic[Item, Outcome]):
    """`work` gets the items of all calls that came while it was busy, and returns an outcome for each, in order.

    It runs up to `at_once` times side by side, so that nobody waits for a whole turn of others before his own; the
    order of calls is not kept. Alone, a call is made at once. No call joins work that began before it: what it learns
    is no older than itself. An error of `work` is told to everybody who was in it.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]], limit: int = 200, at_once: int = 4
    ) -> None:
        self._work, self._limit, self._at_once = work, limit, at_once
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._workers: set[asyncio.Task[None]] = set()

    async def __call__(self, item: Item) -> Outcome:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if len(self._workers) < self._at_once:
            self._workers.add(asyncio.create_task(self._run()))
        return await answer

    async def _run(self) -> None:
        """Leaves the workers in the same breath in which it sees that nothing waits: the next call starts another."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._do(batch)
        finally:
            self._workers = {each for each in self._workers if each is not asyncio.current_task()}

    async def _do(self, batch: list[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        """Those who went away meanwhile (their future is done) are passed over."""
        try:
            outcomes = await self._work([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  (not swallowed: each caller gets it)
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), outcome in zip(batch, outcomes, strict=True):
            if not answer.done():
                answer.set_result(outcome)
