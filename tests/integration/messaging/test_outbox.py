"""The outbox: what is committed is published, soon, by one relay at a time, and forgotten only once confirmed."""

import asyncio
import time

from shared.contracts import ApplicationsDecided
from shared.ids import EventId, new_application_id, new_event_id
from shared.messaging import OutboxPace
from shared.storage import Store, UnitOfWork
from tests.support.messaging_harness import MessagingHarness, decided, event_ids
from tests.support.service_keys import service_key
from tests.support.waiting import until

QUEUE = "application.decided"


async def emit(store: Store, count: int) -> list[EventId]:
    ids = [new_event_id() for _ in range(count)]

    async def work(uow: UnitOfWork) -> None:
        for event_id in ids:
            await uow.emit(decided(new_application_id()), event_id)

    await store.transact(work)
    return ids


async def published(harness: MessagingHarness) -> list[EventId]:
    return event_ids(await harness.take_all(harness.names.queue("intake", QUEUE)))


async def emptied(store: Store) -> None:
    async def empty() -> bool:
        return await store.outbox.backlog() == 0

    await until(empty)


async def test_a_commit_pokes_the_relay_so_that_nobody_waits_for_the_next_poll(harness: MessagingHarness) -> None:
    await harness.running(await harness.bus("vault", pace=OutboxPace(poll_s=60)))
    store = await harness.store("vault")
    await asyncio.sleep(0.3)

    begun = time.monotonic()
    ids = await emit(store, 3)
    await emptied(store)

    assert time.monotonic() - begun < 30
    assert await published(harness) == ids


async def test_the_outbox_publisher_finds_rows_by_polling_without_a_notification(harness: MessagingHarness) -> None:
    await harness.running(await harness.bus("vault", pace=OutboxPace(poll_s=0.1)))
    untold = Store.open(harness.mongo_url, harness.database("vault"))
    untold.sign_events_with(service_key("vault"))
    ids = await emit(untold, 3)
    await emptied(untold)
    await untold.close()
    assert await published(harness) == ids


async def test_relays_side_by_side_publish_each_event_once_while_all_are_well(harness: MessagingHarness) -> None:
    store = await harness.store("vault")
    ids = await emit(store, 300)
    for _ in range(3):
        await harness.running(await harness.bus("vault", pace=OutboxPace(window=20, poll_s=0.05)))
    await emptied(store)
    assert sorted(await published(harness)) == sorted(ids)


async def test_a_relay_that_died_holding_a_lease_is_succeeded_when_the_lease_ends(harness: MessagingHarness) -> None:
    store = await harness.store("vault")
    ids = await emit(store, 5)
    held = await store.outbox.claim("a relay that dies", 10, lease_s=1.5)
    assert [entry.event_id for entry in held] == ids

    begun = time.monotonic()
    await harness.running(await harness.bus("vault", pace=OutboxPace(poll_s=0.1)))
    await emptied(store)

    assert time.monotonic() - begun > 1.0
    assert await published(harness) == ids


async def test_events_wait_in_the_outbox_while_the_broker_cannot_place_them(harness: MessagingHarness) -> None:
    """Their queue is missing; when it is back they are delivered, and the others were never held up."""
    store = await harness.store("vault")
    queue = harness.names.queue("intake", QUEUE)
    async with harness.channel() as channel:
        await (await channel.get_queue(queue)).unbind(harness.names.events, QUEUE)
    await harness.running(await harness.bus("vault", pace=OutboxPace(poll_s=0.1)))
    ids = await emit(store, 4)
    await asyncio.sleep(0.5)
    assert await store.outbox.backlog() == 4

    async with harness.channel() as channel:
        await (await channel.get_queue(queue)).bind(harness.names.events, QUEUE)
    await emptied(store)

    assert sorted(await published(harness)) == sorted(ids)


async def test_draining_empties_the_outbox(harness: MessagingHarness) -> None:
    store = await harness.store("vault")
    bus = await harness.bus("vault", pace=OutboxPace(window=10, poll_s=60))
    async with bus:
        await asyncio.sleep(0.2)
        ids = await emit(store, 95)
    assert await store.outbox.backlog() == 0
    assert sorted(await published(harness)) == sorted(ids)


async def test_an_event_leaves_as_it_was_said(harness: MessagingHarness) -> None:
    store = await harness.store("vault")
    event = decided(new_application_id())
    await store.transact(lambda uow: uow.emit(event))
    await harness.running(await harness.bus("vault"))
    await emptied(store)
    (message,) = await harness.take_all(harness.names.queue("intake", QUEUE))
    assert ApplicationsDecided.model_validate_json(message.body) == event
