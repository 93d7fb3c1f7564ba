"""Events and items a second through the Bus, beside bare aio-pika in the same run on the same servers.

    python -m tests.bench.bench_messaging

Uses KUJI_AMQP_URL and KUJI_MONGO_URL, or starts private servers. The bare figures are what the client and the broker
can do without a contract, an inbox, a database or an outbox; the ratio is the price of doing everything once.
"""

import asyncio
import json
import secrets
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aio_pika
from aio_pika import DeliveryMode, Message

from deploy.local.processes import Watchdog
from deploy.local.servers import Servers
from shared import logging
from shared.codes import EntryId, ProofDigest
from shared.contracts import AcceptedApplication, ApplicationReceived, ApplicationsAccepted
from shared.ids import Receipt, new_token
from shared.messaging import Batch
from shared.storage import InsertOne, UnitOfWork
from tests.support.message_samples import SAMPLES
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, received
from tests.support.service_keys import keys_in_environment
from tests.support.waiting import until

EVENTS = 4000
ITEM_EVENTS = 300
ITEMS = 100
IN_FLIGHT = 256

_CHOICES = next(event for event in SAMPLES if isinstance(event, ApplicationsAccepted)).items[0].choices


@dataclass(frozen=True)
class Figure:
    """`rate`: of `unit` a second."""

    what: str
    rate: float
    unit: str = "events/s"


async def bare(harness: MessagingHarness) -> AsyncIterator[Figure]:
    """aio-pika alone, on a quorum queue of its own, the same body."""
    body, queue_name = received().to_json(), f"{harness.namespace}.bench"
    async with await aio_pika.connect(harness.amqp_url) as connection, connection.channel() as channel:
        await channel.set_qos(prefetch_count=200)
        queue = await channel.declare_queue(queue_name, durable=True, arguments={"x-queue-type": "quorum"})
        try:
            begun = time.perf_counter()
            for _ in range(EVENTS // 8):
                await channel.default_exchange.publish(_message(body), queue_name)
            yield Figure("bare: publish + confirm, one in flight", EVENTS / 8 / (time.perf_counter() - begun))

            begun = time.perf_counter()
            await _windowed(lambda: channel.default_exchange.publish(_message(body), queue_name))
            yield Figure(f"bare: publish + confirm, {IN_FLIGHT} in flight", EVENTS / (time.perf_counter() - begun))

            yield Figure("bare: consume + ack each", await _consume_bare(queue))
        finally:
            await queue.delete(if_unused=False, if_empty=False)


async def _consume_bare(queue: aio_pika.abc.AbstractQueue) -> float:
    total, count, done = EVENTS + EVENTS // 8, 0, asyncio.Event()

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal count
        await message.ack()
        count += 1
        if count == total:
            done.set()

    begun = time.perf_counter()
    tag = await queue.consume(take)
    await done.wait()
    elapsed = time.perf_counter() - begun
    await queue.cancel(tag)
    return total / elapsed


def _message(body: bytes) -> Message:
    return Message(body, delivery_mode=DeliveryMode.PERSISTENT, message_id=uuid.uuid4().hex)


async def _windowed(act: Callable[[], Awaitable[object]]) -> None:
    window = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with window:
            await act()

    await asyncio.gather(*(one() for _ in range(EVENTS)))


async def single_events(harness: MessagingHarness) -> AsyncIterator[Figure]:
    """Measure one application a message: published directly, handled in batches, one inserted document each."""
    intake = await harness.running(await harness.bus("intake"))
    begun = time.perf_counter()
    await _windowed(lambda: intake.publish(received()))
    yield Figure(f"Bus.publish, {IN_FLIGHT} in flight", EVENTS / (time.perf_counter() - begun))

    vault, handled = await harness.bus("vault"), 0

    async def insert(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        nonlocal handled
        lines = [InsertOne({"application": event.application_id}) for event in events]
        await uow.db["bench"].bulk_write(lines, session=uow.session)
        handled += len(events)

    vault.consume(ApplicationReceived, insert, Batch(size=200))
    begun = time.perf_counter()
    await harness.running(vault)
    await until(lambda: handled >= EVENTS, timeout_s=120)
    yield Figure("Bus.consume: inbox + state + ack, batches of 200", EVENTS / (time.perf_counter() - begun))


async def batch_events(harness: MessagingHarness) -> AsyncIterator[Figure]:
    """Measure a hundred items a message, through the outbox of one service into the state of another."""
    vault, lottery, handled = await harness.bus("vault"), await harness.bus("lottery"), 0
    store = await harness.store("vault")

    async def insert(events: Sequence[ApplicationsAccepted], uow: UnitOfWork) -> None:
        nonlocal handled
        lines = [InsertOne(item.model_dump()) for event in events for item in event.items]
        await uow.db["bench"].bulk_write(lines, ordered=False, session=uow.session)
        handled += len(lines)

    async def emit(uow: UnitOfWork) -> None:
        for event in events:
            await uow.emit(event)

    events = [_accepted() for _ in range(ITEM_EVENTS)]
    lottery.consume(ApplicationsAccepted, insert, Batch(size=20))
    await harness.running(lottery)
    begun = time.perf_counter()
    await store.transact(emit)
    await harness.running(vault)
    await until(lambda: handled >= ITEM_EVENTS * ITEMS, timeout_s=120)
    elapsed = time.perf_counter() - begun
    yield Figure("outbox → Bus.consume, 100 items a message", ITEM_EVENTS / elapsed)
    yield Figure("outbox → Bus.consume, 100 items a message", ITEM_EVENTS * ITEMS / elapsed, "items/s")


def _accepted() -> ApplicationsAccepted:
    items = tuple(
        AcceptedApplication(
            receipt=Receipt("W-7K3M-9Q2P-6"),
            version=1,
            entry=EntryId(secrets.token_hex(16)),
            proof_sha256=ProofDigest(secrets.token_hex(32)),
            token=new_token(),
            channel="web",
            choices=_CHOICES,
            revision=1,
        )
        for _ in range(ITEMS)
    )
    return ApplicationsAccepted(campaign=CAMPAIGN, items=items)


async def measure(amqp_url: str, mongo_url: str) -> list[Figure]:
    figures: list[Figure] = []
    for part in (bare, single_events, batch_events):
        async with MessagingHarness(amqp_url, mongo_url, f"bench{secrets.token_hex(3)}") as harness:
            async for figure in part(harness):
                figures.append(figure)
                say(f"{figure.what:<52}{figure.rate:>10,.0f} {figure.unit}")
    return figures


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    with tempfile.TemporaryDirectory() as home, Watchdog() as watchdog, keys_in_environment(Path(home) / "keys"):
        started = await asyncio.to_thread(Servers(Path(home), watchdog=watchdog).start)
        try:
            yield started
        finally:
            await asyncio.to_thread(started.stop)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> None:
    logging.configure("bench", "error")
    async with servers() as started:
        figures = await measure(started.amqp_url, started.mongo_url)
    if "--json" in sys.argv:
        say(json.dumps([vars(figure) for figure in figures]))


if __name__ == "__main__":
    asyncio.run(main())
