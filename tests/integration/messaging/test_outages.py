"""Servers that restart, freeze or go away under load: everything waits, nothing is lost, nothing is done twice."""

import asyncio
import os
import signal
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from deploy.local.rabbitmq import RabbitMQ
from shared.contracts import ApplicationReceived
from shared.ids import ApplicationId, new_event_id
from shared.messaging import Batch, BrokerUnavailableError, Bus
from shared.storage import Store, StoreUnavailableError, UnitOfWork
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import MessagingHarness, received
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import await_all, until


async def insist(bus: Bus) -> ApplicationId:
    """Publish the same event under the same id until the broker confirms it, as a careful sender does."""
    event, event_id = received(), new_event_id()
    while True:
        try:
            await bus.publish(event, event_id)
        except BrokerUnavailableError:
            await asyncio.sleep(0.2)
        else:
            return event.application_id


async def test_a_broker_restart_under_load_loses_nothing_and_does_nothing_twice(
    own_harness: MessagingHarness, own_broker: RabbitMQ
) -> None:
    intake, vault = await own_harness.bus("intake"), await own_harness.bus("vault")
    vault.consume(ApplicationReceived, Witness())
    await own_harness.running(vault)
    await own_harness.running(intake)
    applications: list[ApplicationId] = []

    async def keep_saying() -> None:
        for _ in range(60):
            applications.append(await insist(intake))
            await asyncio.sleep(0.01)

    saying = [asyncio.create_task(keep_saying()) for _ in range(5)]
    store = await own_harness.store("vault")
    await all_marked(store, 20)
    await asyncio.to_thread(own_broker.restart)
    await await_all(*saying)
    await all_marked(store, 300)

    await until(vault.ready)
    assert await marks(store) == dict.fromkeys(applications, 1)
    assert (await vault.queue_depths())["vault.parked"] == 0


async def test_a_broker_that_freezes_and_thaws_is_used_again(
    own_harness: MessagingHarness, own_broker: RabbitMQ
) -> None:
    intake, vault = await own_harness.bus("intake"), await own_harness.bus("vault")
    vault.consume(ApplicationReceived, Witness())
    await own_harness.running(vault)
    await own_harness.running(intake)
    group = own_broker.children[-1].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        saying = [asyncio.create_task(insist(intake)) for _ in range(20)]
        await asyncio.sleep(3)
        assert not [task for task in saying if task.done()]
    finally:
        os.killpg(group, signal.SIGCONT)

    applications = await await_all(*saying)
    store = await own_harness.store("vault")
    await all_marked(store, 20)
    assert await marks(store) == dict.fromkeys(applications, 1)


async def test_a_lost_connection_under_a_running_handler_lets_it_finish_and_its_event_is_not_handled_again(
    harness: MessagingHarness,
) -> None:
    address = urlsplit(harness.amqp_url)
    with TcpProxy(str(address.hostname), int(address.port or 5672)) as proxy:
        begun, go_on = asyncio.Event(), asyncio.Event()
        witness = Witness()
        vault = await harness.bus("vault", amqp_url=through(harness.amqp_url, proxy))

        async def slow(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
            begun.set()
            await go_on.wait()
            await witness(events, uow)

        vault.consume(ApplicationReceived, slow)
        await harness.running(vault)
        event = received()
        await (await harness.running(await harness.bus("intake"))).publish(event)
        await begun.wait()

        proxy.reset()
        await asyncio.sleep(0.5)
        go_on.set()
        store = await harness.store("vault")
        await all_marked(store, 1)
        await until(vault.ready)
        await until(lambda: is_quiet(vault))

        assert await marks(store) == {event.application_id: 1}
        assert len(witness.calls) == 1


async def test_what_a_lost_connection_gives_back_is_handled_by_few(harness: MessagingHarness) -> None:
    address, sizes = urlsplit(harness.amqp_url), list[int]()
    with TcpProxy(str(address.hostname), int(address.port or 5672)) as proxy:
        begun, go_on, witness = asyncio.Event(), asyncio.Event(), Witness()
        vault = await harness.bus("vault", amqp_url=through(harness.amqp_url, proxy))

        async def slow(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
            sizes.append(len(events))
            begun.set()
            await go_on.wait()
            if len(sizes) > 1:
                await witness(events, uow)
            else:
                raise StoreUnavailableError("away")

        vault.consume(ApplicationReceived, slow, Batch(size=50, wait_s=0.3))
        events = [received() for _ in range(50)]
        intake = await harness.running(await harness.bus("intake"))
        await await_all(*(intake.publish(event) for event in events))
        await harness.running(vault)
        await begun.wait()
        proxy.reset()
        await asyncio.sleep(0.5)
        go_on.set()
        store = await harness.store("vault")
        await all_marked(store, 50)
        await until(lambda: is_quiet(vault))
    assert sizes == [50, *[10] * 5]
    assert await marks(store) == {event.application_id: 1 for event in events}


async def is_quiet(vault: Bus) -> bool:
    return sum((await vault.queue_depths()).values()) == 0


async def test_while_the_database_is_away_messages_wait_and_are_neither_retried_nor_parked(
    harness: MessagingHarness,
) -> None:
    """No message is to blame, so none climbs the ladder; when the database is back all are handled."""
    await harness.store("vault")
    address = urlsplit(harness.mongo_url)
    with TcpProxy(str(address.hostname), int(address.port or 27017)) as proxy:
        store = Store.open(directly(through(harness.mongo_url, proxy)), harness.database("vault"), timeout_s=1)
        witness = Witness()
        vault = Bus(harness.settings("vault"), "vault", store)
        vault.consume(ApplicationReceived, witness)
        await harness.running(vault)
        intake = await harness.running(await harness.bus("intake"))
        proxy.cut()
        events = [received() for _ in range(20)]
        await await_all(*(intake.publish(event) for event in events))

        await asyncio.sleep(4)
        assert await marks(await harness.store("vault")) == {}
        proxy.restore()
        await all_marked(await harness.store("vault"), 20)

        assert await marks(await harness.store("vault")) == {event.application_id: 1 for event in events}
        assert (await vault.queue_depths())["vault.parked"] == 0
        await vault.drain()
        await store.close()


def through(url: str, proxy: TcpProxy) -> str:
    """Return the same address by way of the proxy."""
    parts = urlsplit(url)
    login = f"{parts.username}:{parts.password}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{proxy.port}"))


def directly(mongo_url: str) -> str:
    """Connect directly: a look-up of the replica set's members would lead past the proxy."""
    parts = urlsplit(mongo_url)
    kept = [part for part in parts.query.split("&") if part and not part.startswith(("replicaSet", "directConnection"))]
    return urlunsplit(parts._replace(path=parts.path or "/", query="&".join([*kept, "directConnection=true"])))
