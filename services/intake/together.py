"""Calls that come at the same time are made as one: the database is asked once for many (architecture, batches)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Together(Generic[Item, Outcome]):
    """`work` gets the items of all calls that came while it was busy, and returns an outcome for each, in order.

    Alone, a call is made at once. No call joins work that began before it: what it learns is no older than itself.
    An error of `work` is told to everybody who was in it.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]], limit: int = 200) -> None:
        self._work, self._limit = work, limit
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Outcome:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._working is None:
            self._working = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._do(batch)
        finally:
            self._working = None

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
