"""Real processes, stopped and killed with work in flight: nothing is lost and nothing is done twice."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shared.ids import ApplicationId, EventId, derived_event_id
from shared.messaging import Bus, OutboxPace
from shared.storage import Store
from tests.support.counting_handler import all_marked, marks
from tests.support.messaging_harness import House, event_ids, received, until

ROOT = Path(__file__).resolve().parents[3]
COUNT = 200


@pytest.fixture(autouse=True)
async def brief_locks(mongo_url: str) -> AsyncIterator[None]:
    """The locks of a killed process are kept for as short as the server can, so that nobody waits for them long."""
    store, limit = Store.open(mongo_url, "admin"), "transactionLifetimeLimitSeconds"
    before = (await store.db.command({"getParameter": 1, limit: 1}))[limit]
    await store.db.command({"setParameter": 1, limit: 2})
    yield
    await store.db.command({"setParameter": 1, limit: before})
    await store.close()


@asynccontextmanager
async def vault_process(house: House, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A vault in a process of its own, which is gone at the end."""
    await house.store("vault")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.consumer_process",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **house.environment("vault")},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(20):
        return await process.wait()


async def say(house: House, kind: str, count: int) -> list[ApplicationId]:
    intake = await house.running(await house.bus("intake"))
    events = [received(key_id=kind) for _ in range(count)]
    await asyncio.gather(*(intake.publish(event) for event in events))
    return [event.application_id for event in events]


def decisions(applications: list[ApplicationId]) -> list[EventId]:
    return sorted(derived_event_id("decided", application) for application in applications)


async def said(house: House) -> list[EventId]:
    """Ids of the decisions that reached intake's queue."""
    return sorted(event_ids(await house.take_all(house.names.queue("intake", "application.decided"))))


async def test_sigterm_with_work_in_flight_loses_nothing_and_does_nothing_twice(house: House) -> None:
    applications = await say(house, "slow", COUNT)
    store = await house.store("vault")
    async with vault_process(house) as first:
        await all_marked(store, 30)
        first.send_signal(signal.SIGTERM)
        assert await ended(first) == 0
    done = len(await marks(store))
    assert 30 <= done < COUNT
    assert await store.outbox.backlog() == 0

    async with vault_process(house) as second:
        await all_marked(store, COUNT)
        second.send_signal(signal.SIGTERM)
        assert await ended(second) == 0

    assert await marks(store) == dict.fromkeys(applications, 1)
    assert await said(house) == decisions(applications)


async def test_what_a_drained_process_had_taken_and_not_finished_is_not_counted_against_it(house: House) -> None:
    await say(house, "slow", COUNT)
    store = await house.store("vault")
    async with vault_process(house) as first:
        await all_marked(store, 10)
        first.send_signal(signal.SIGTERM)
        await ended(first)

    left = await house.take_all(house.names.queue("vault", "application.received"))
    assert left
    assert {message.headers.get("x-delivery-count", 0) for message in left} == {0}


async def test_sigkill_in_mid_run_loses_nothing_and_changes_no_state_twice(house: House) -> None:
    applications = await say(house, "slow", COUNT)
    store = await house.store("vault")
    for enough in (30, 80):
        async with vault_process(house) as victim:
            await all_marked(store, enough)
            victim.kill()
            await ended(victim)

    vault = await house.bus("vault", pace=OutboxPace(lease_s=1))
    async with vault_process(house) as last:
        await all_marked(store, COUNT)
        last.send_signal(signal.SIGTERM)
        await ended(last)
    await house.running(vault)
    await until(lambda: outbox_is_empty(house), timeout_s=30)

    assert await marks(store) == dict.fromkeys(applications, 1)
    assert sorted(set(await said(house))) == decisions(applications)


async def outbox_is_empty(house: House) -> bool:
    return await (await house.store("vault")).outbox.backlog() == 0


async def test_events_committed_by_a_process_that_died_before_publishing_are_published_by_the_next(
    house: House,
) -> None:
    async with vault_process(house, "25") as doomed:
        assert await ended(doomed) == -signal.SIGKILL
    store = await house.store("vault")
    assert await store.outbox.backlog() == 25
    assert await said(house) == []

    await house.running(await house.bus("vault"))
    await until(lambda: outbox_is_empty(house))

    found = await said(house)
    assert len(found) == len(set(found)) == 25


@pytest.fixture
async def strict_house(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[House]:
    async with House(amqp_url, mongo_url, namespace, delivery_limit=4) as house:
        yield house


async def test_a_message_that_kills_its_process_is_parked_by_the_broker_and_no_other_is_lost(
    strict_house: House,
) -> None:
    """With so few deliveries an innocent neighbour may be parked as well; it waits there to be replayed."""
    house = strict_house
    good = await say(house, "k1", 6)
    (poison,) = await say(house, "poison", 1)
    good += await say(house, "k1", 6)
    store, vault = await house.store("vault"), await house.bus("vault")

    deaths = await crash_until_parked(house, vault)

    assert 2 <= deaths <= 10
    listed = {(message.error, message.origin) for message in await vault.parking.messages()}
    assert listed == {("DeliveryLimit", "vault.application.received")}
    parked = [json.loads(message.body) for message in await house.take_all(house.names.parked("vault"))]
    handled = await marks(store)
    assert handled
    assert set(handled.values()) == {1}
    assert sorted([*handled, *(body["application_id"] for body in parked)]) == sorted([poison, *good])
    assert poison not in handled


async def crash_until_parked(house: House, vault: Bus) -> int:
    """Start the vault again and again, as a supervisor does, until nothing is left to kill it; how often it died."""
    deaths = 0

    async def calm() -> bool:
        depths = await vault.queue_depths()
        return depths["vault.parked"] > 0 and depths["vault.application.received"] == 0

    while True:
        async with vault_process(house) as process:
            dead = asyncio.create_task(process.wait())
            try:
                await until(lambda: settled(dead, calm), timeout_s=60)  # noqa: B023  (awaited within the turn)
                await asyncio.sleep(0.5)
            finally:
                dead.cancel()
            if process.returncode is None:
                return deaths
            deaths += 1
        assert deaths <= 10


async def settled(dead: "asyncio.Task[int]", calm: Callable[[], Awaitable[bool]]) -> bool:
    return dead.done() or await calm()
