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
from tests.support.messaging_harness import MessagingHarness, event_ids, received
from tests.support.waiting import await_all, until

ROOT = Path(__file__).resolve().parents[3]
COUNT = 200


@pytest.fixture(autouse=True)
async def brief_locks(mongo_url: str) -> AsyncIterator[None]:
    """Shorten the lifetime of a killed process's locks to the server's minimum, so that no test waits long for them."""
    store, limit = Store.open(mongo_url, "admin"), "transactionLifetimeLimitSeconds"
    before = (await store.db.command({"getParameter": 1, limit: 1}))[limit]
    await store.db.command({"setParameter": 1, limit: 2})
    yield
    await store.db.command({"setParameter": 1, limit: before})
    await store.close()


@asynccontextmanager
async def vault_process(harness: MessagingHarness, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a vault in a process of its own, and end it afterwards."""
    await harness.store("vault")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.consumer_process",
        *arguments,
        cwd=ROOT,
        env={**os.environ, **harness.environment("vault")},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(120):
        return await process.wait()


async def say(harness: MessagingHarness, kind: str, count: int) -> list[ApplicationId]:
    intake = await harness.running(await harness.bus("intake"))
    events = [received(key_id=kind) for _ in range(count)]
    await await_all(*(intake.publish(event) for event in events))
    return [event.application_id for event in events]


def decisions(applications: list[ApplicationId]) -> list[EventId]:
    return sorted(derived_event_id("decided", application) for application in applications)


async def said(harness: MessagingHarness) -> list[EventId]:
    """Ids of the decisions that reached intake's queue."""
    return sorted(event_ids(await harness.take_all(harness.names.queue("intake", "application.decided"))))


async def test_sigterm_with_work_in_flight_loses_nothing_and_does_nothing_twice(harness: MessagingHarness) -> None:
    applications = await say(harness, "slow", COUNT)
    store = await harness.store("vault")
    async with vault_process(harness) as first:
        await all_marked(store, 30)
        first.send_signal(signal.SIGTERM)
        assert await ended(first) == 0
    done = len(await marks(store))
    assert 30 <= done < COUNT
    assert await store.outbox.backlog() == 0

    async with vault_process(harness) as second:
        await all_marked(store, COUNT)
        second.send_signal(signal.SIGTERM)
        assert await ended(second) == 0

    assert await marks(store) == dict.fromkeys(applications, 1)
    assert await said(harness) == decisions(applications)


async def test_what_a_drained_process_had_taken_and_not_finished_is_not_counted_against_it(
    harness: MessagingHarness,
) -> None:
    await say(harness, "slow", COUNT)
    store = await harness.store("vault")
    async with vault_process(harness) as first:
        await all_marked(store, 10)
        first.send_signal(signal.SIGTERM)
        await ended(first)

    left = await harness.take_all(harness.names.queue("vault", "application.received"))
    assert left
    assert {message.headers.get("x-delivery-count", 0) for message in left} == {0}


async def test_sigkill_in_mid_run_loses_nothing_and_changes_no_state_twice(harness: MessagingHarness) -> None:
    applications = await say(harness, "slow", COUNT)
    store = await harness.store("vault")
    for enough in (30, 80):
        async with vault_process(harness) as victim:
            await all_marked(store, enough)
            victim.kill()
            await ended(victim)

    vault = await harness.bus("vault", pace=OutboxPace(lease_s=1))
    async with vault_process(harness) as last:
        await all_marked(store, COUNT)
        last.send_signal(signal.SIGTERM)
        await ended(last)
    await harness.running(vault)
    await until(lambda: outbox_is_empty(harness), timeout_s=30)

    assert await marks(store) == dict.fromkeys(applications, 1)
    assert sorted(set(await said(harness))) == decisions(applications)


async def outbox_is_empty(harness: MessagingHarness) -> bool:
    return await (await harness.store("vault")).outbox.backlog() == 0


async def test_events_committed_by_a_process_that_died_before_publishing_are_published_by_the_next(
    harness: MessagingHarness,
) -> None:
    async with vault_process(harness, "25") as doomed:
        assert await ended(doomed) == -signal.SIGKILL
    store = await harness.store("vault")
    assert await store.outbox.backlog() == 25
    assert await said(harness) == []

    await harness.running(await harness.bus("vault"))
    await until(lambda: outbox_is_empty(harness))

    found = await said(harness)
    assert len(found) == len(set(found)) == 25


@pytest.fixture
async def strict_harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    async with MessagingHarness(amqp_url, mongo_url, namespace, delivery_limit=4) as harness:
        yield harness


async def test_a_message_that_kills_its_process_is_parked_by_the_broker_and_no_other_is_lost(
    strict_harness: MessagingHarness,
) -> None:
    """Allow few deliveries: another message may then be parked as well, and waits there to be replayed."""
    harness = strict_harness
    good = await say(harness, "k1", 6)
    (poison,) = await say(harness, "poison", 1)
    good += await say(harness, "k1", 6)
    store, vault = await harness.store("vault"), await harness.bus("vault")

    deaths = await crash_until_parked(harness, vault)

    assert 2 <= deaths <= 10
    listed = {(message.error, message.origin) for message in await vault.parking.messages()}
    assert listed == {("DeliveryLimit", "vault.application.received")}
    parked = [json.loads(message.body) for message in await harness.take_all(harness.names.parked("vault"))]
    handled = await marks(store)
    assert handled
    assert set(handled.values()) == {1}
    assert sorted([*handled, *(body["application_id"] for body in parked)]) == sorted([poison, *good])
    assert poison not in handled


async def crash_until_parked(harness: MessagingHarness, vault: Bus) -> int:
    """Start the vault again and again, as a supervisor does, until nothing is left to kill it; how often it died."""
    deaths = 0

    async def calm() -> bool:
        depths = await vault.queue_depths()
        return depths["vault.parked"] > 0 and depths["vault.application.received"] == 0

    while True:
        async with vault_process(harness) as process:
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
