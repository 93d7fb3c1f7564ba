"""What the broker has pushed to us and nobody has taken yet, handed out in batches."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika.abc import AbstractIncomingMessage


@dataclass(frozen=True)
class Batch:
    """A batch is full at `size` messages, or `wait_s` seconds after its first one, whichever comes first."""

    size: int = 100
    wait_s: float = 0.02


class Deliveries:
    """The inflow of one channel. It ends when the channel is lost (`abandon`) or by our own will (`finish`)."""

    def __init__(self) -> None:
        self._waiting: deque[AbstractIncomingMessage] = deque()
        self._unacknowledged: dict[int, AbstractIncomingMessage] = {}
        self._arrived = asyncio.Event()
        self._ended = False

    async def put(self, message: AbstractIncomingMessage) -> None:
        """The client's callback: returns at once, so that a lost connection has nothing of ours to cancel."""
        self._waiting.append(message)
        self._unacknowledged[id(message)] = message
        self._arrived.set()

    def finish(self) -> None:
        """No more will come; what is here is still handed out."""
        self._ended = True
        self._arrived.set()

    def abandon(self) -> None:
        """The channel is gone: what is here will be delivered again elsewhere and cannot be acknowledged."""
        self._waiting.clear()
        self._unacknowledged.clear()
        self.finish()

    def acknowledged(self, messages: Iterable[AbstractIncomingMessage]) -> None:
        """Forget messages that were acknowledged."""
        for message in messages:
            self._unacknowledged.pop(id(message), None)

    @property
    def unanswered(self) -> int:
        """Number of messages that the broker has pushed and that are not acknowledged yet."""
        return len(self._unacknowledged)

    @property
    def unacknowledged(self) -> list[AbstractIncomingMessage]:
        """Messages that the broker delivered on this channel and that are not acknowledged yet."""
        return list(self._unacknowledged.values())

    @property
    def ended(self) -> bool:
        return self._ended

    async def next_batch(self, batch: Batch) -> list[AbstractIncomingMessage]:
        """At least one message; none at all once this has ended."""
        while not self._waiting and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        if len(self._waiting) < batch.size and not self._ended:
            await self._fill(batch)
        return [self._waiting.popleft() for _ in range(min(batch.size, len(self._waiting)))]

    async def _fill(self, batch: Batch) -> None:
        try:
            async with asyncio.timeout(batch.wait_s):
                while len(self._waiting) < batch.size and not self._ended:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return
