"""Consumer of one queue: takes batches, handles and acknowledges them, and attaches again after a lost connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from shared.ids import CampaignId
from shared.logging import describe, get_logger
from shared.messaging.calls import hang_up, was_cancelled
from shared.messaging.deliveries import Batch, Deliveries
from shared.messaging.envelope import campaign_of
from shared.messaging.handling import Handling
from shared.messaging.link import Link

_log = get_logger(__name__)

Able = Callable[[], Awaitable[bool]]

_PREFETCHED_BATCHES = 2
"""One being handled, one on its way."""

_SETTLE_S = 0.1
"""Time for pushes that are on their way to reach the client's callbacks."""

_QUIET_WITHIN_S = 5.0

_STEADY_S = 5.0
_PAUSES_S = (0.1, 0.1, 0.5, 1.0, 2.0)


class Consumer:
    """Runs until `stop`. Messages go through `handling` in a task of ours, which no lost connection cancels.

    Attaches only while `able` holds: messages that nobody can handle stay with the broker, their deliveries uncounted.
    """

    def __init__(
        self, queue: str, link: Link, batch: Batch, handling: Handling[Any], *, able: Able, timeout_s: float
    ) -> None:
        self.queue = queue
        self._link, self._batch, self.handling = link, batch, handling
        self._able, self._timeout_s = able, timeout_s
        self._stopping = asyncio.Event()
        self._answering = asyncio.Lock()
        self._deliveries: Deliveries | None = None
        self._under_way: Sequence[AbstractIncomingMessage] = ()

    @property
    def _prefetch(self) -> int:
        return _PREFETCHED_BATCHES * self._batch.size

    @property
    def attached(self) -> bool:
        return self._deliveries is not None and not self._deliveries.ended

    def unacknowledged(self, campaign: CampaignId) -> int:
        """Return the number of delivered messages of the campaign that are not acknowledged yet.

        Those of a lost channel count while they are handled: their transaction may still commit.
        """
        delivered = self._deliveries.unacknowledged if self._deliveries is not None else []
        messages = {id(message): message for message in (*delivered, *self._under_way)}
        return sum(campaign_of(message) == campaign for message in messages.values())

    async def run(self) -> None:
        loop, failures = asyncio.get_running_loop(), 0
        while not self._stopping.is_set():
            begun = loop.time()
            await self._consume_while_it_lasts()
            failures = 0 if loop.time() - begun > _STEADY_S else failures + 1
            await self._pause(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])

    def stop(self) -> None:
        """Stop consuming; `run` returns when the delivered messages have been handled."""
        self._stopping.set()

    async def _pause(self, pause_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._stopping.wait()

    async def _consume_while_it_lasts(self) -> None:
        try:
            await self._consume()
        except Exception as error:  # noqa: BLE001  (the consumer loop: whatever broke, attach again)
            _log.warning("consumer-detached", queue=self.queue, **describe(error))
        except asyncio.CancelledError:
            if was_cancelled():
                raise
        if not self._stopping.is_set():
            _log.info("consumer-attaches-again", queue=self.queue)

    async def _consume(self) -> None:
        if not await self._able():
            return
        connection = await self._link.connection()
        async with self._attached(connection) as deliveries:
            self._deliveries = deliveries
            while messages := await deliveries.next_batch(self._batch):
                async with self._answering:
                    await self._handle(messages, deliveries)

    async def _handle(self, messages: Sequence[AbstractIncomingMessage], deliveries: Deliveries) -> None:
        self._under_way = messages
        try:
            await self.handling.handle(messages, deliveries)
        finally:
            self._under_way = ()

    @contextlib.asynccontextmanager
    async def _attached(self, connection: AbstractConnection) -> AsyncIterator[Deliveries]:
        deliveries = Deliveries()
        async with asyncio.timeout(self._timeout_s):
            channel = connection.channel(publisher_confirms=False)
            await channel.initialize()
        try:
            async with asyncio.timeout(self._timeout_s):
                tag = await self._subscribe(channel, deliveries)
            leaving = asyncio.create_task(self._leave_when_stopping(channel, tag, deliveries))
            try:
                with self._link.when_dropped(deliveries.abandon):
                    yield deliveries
            finally:
                leaving.cancel()
        finally:
            deliveries.abandon()
            await hang_up(channel)

    async def _subscribe(self, channel: AbstractChannel, deliveries: Deliveries) -> str:
        await channel.set_qos(prefetch_count=self._prefetch)
        channel.close_callbacks.add(lambda *_: deliveries.abandon())
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(lambda _: deliveries.finish())
        queue = await channel.get_queue(self.queue, ensure=False)
        return await queue.consume(deliveries.put)

    async def _leave_when_stopping(self, channel: AbstractChannel, tag: str, deliveries: Deliveries) -> None:
        await self._stopping.wait()
        try:
            async with self._quiet(channel, deliveries), asyncio.timeout(self._timeout_s):
                underlay = await channel.get_underlay_channel()
                await underlay.basic_cancel(tag)
        except Exception as error:  # noqa: BLE001  (the channel is going anyway; what was delivered is handled)
            _log.warning("consumer-detached", queue=self.queue, **describe(error))
        deliveries.finish()

    @contextlib.asynccontextmanager
    async def _quiet(self, channel: AbstractChannel, deliveries: Deliveries) -> AsyncIterator[None]:
        """Hold back acknowledgements around the cancel, and wait until the broker has nothing more to push.

        A quorum queue answers each acknowledgement with the next message. A message that the broker pushes while the
        cancel is on its way reaches no consumer, and returns to the queue at the channel's end with a delivery counted.
        A batch that takes longer than `_QUIET_WITHIN_S` is not waited for.
        """
        async with contextlib.AsyncExitStack() as stack:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_QUIET_WITHIN_S):
                    await stack.enter_async_context(self._answering)
                    await self._nothing_to_push(channel, deliveries)
            yield
            await asyncio.sleep(_SETTLE_S)

    async def _nothing_to_push(self, channel: AbstractChannel, deliveries: Deliveries) -> None:
        """Return once the prefetch window is full or the queue is empty, and no push arrived for `_SETTLE_S`."""
        while True:
            pushed = deliveries.unanswered
            full = pushed >= self._prefetch
            queue = await channel.declare_queue(self.queue, passive=True)
            await asyncio.sleep(_SETTLE_S)
            if pushed == deliveries.unanswered and (full or not queue.declaration_result.message_count):
                return


async def finish(tasks: list[asyncio.Task[None]], timeout_s: float) -> None:
    """Wait for `tasks`, then cancel those that are late."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=timeout_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
