"""Messages that the broker has pushed and the consumer has not taken yet, handed out in batches."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika.abc import AbstractIncomingMessage


@dataclass(frozen=True)
class Batch:
    """Batch size: full at `size` messages, or `wait_s` seconds after its first one, whichever comes first."""

    size: int = 100
    wait_s: float = 0.02


class Deliveries:
    """Messages delivered on one channel. It ends when the channel is lost (`abandon`) or by our own will (`finish`)."""

    def __init__(self) -> None:
        self._waiting: deque[AbstractIncomingMessage] = deque()
        self._unacknowledged: dict[int, AbstractIncomingMessage] = {}
        self._arrived = asyncio.Event()
        self._ended = False

    async def put(self, message: AbstractIncomingMessage) -> None:
        """Add a message. The client calls this; a lost connection cancels no work of ours here."""
        self._waiting.append(message)
        self._unacknowledged[id(message)] = message
        self._arrived.set()

    def finish(self) -> None:
        """End the deliveries; messages that are here are still handed out."""
        self._ended = True
        self._arrived.set()

    def abandon(self) -> None:
        """Forget all messages, because the channel is lost: the broker delivers them again."""
        self._waiting.clear()
        self._unacknowledged.clear()
        self.finish()

    def acknowledged(self, messages: Iterable[AbstractIncomingMessage]) -> None:
        """Forget messages that were acknowledged."""
        for message in messages:
            self._unacknowledged.pop(id(message), None)

    @property
    def unanswered(self) -> int:
        """Return the number of messages that the broker has pushed and that are not acknowledged yet."""
        return len(self._unacknowledged)

    @property
    def unacknowledged(self) -> list[AbstractIncomingMessage]:
        """Messages that the broker delivered on this channel and that are not acknowledged yet."""
        return list(self._unacknowledged.values())

    @property
    def ended(self) -> bool:
        return self._ended

    async def next_batch(self, batch: Batch) -> list[AbstractIncomingMessage]:
        """Return at least one message, or none after the end of the deliveries."""
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
