"""The retry ladder on the real broker: how often, how long apart, and where it ends."""

import asyncio
import itertools
import time
from collections.abc import Sequence

import pytest

from shared.contracts import ApplicationReceived
from shared.errors import NotReadyError, TransientError
from shared.messaging import Bus
from shared.storage import UnitOfWork
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import DELAYS_S, MessagingHarness, event_ids, received
from tests.support.waiting import await_all, until


async def test_a_transient_error_waits_in_every_delay_queue_for_its_time_and_is_parked_at_the_end(
    harness: MessagingHarness,
) -> None:
    times: list[float] = []

    async def fail(_: Sequence[ApplicationReceived], __: UnitOfWork) -> None:
        times.append(time.monotonic())
        raise TransientError("not now")

    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, fail)
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    event_id = await intake.publish(received())

    await until(lambda: len(times) == len(DELAYS_S) + 1)
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    for wait, delay_s in zip(waits, DELAYS_S, strict=True):
        assert 0.95 * delay_s <= wait < delay_s + 3

    await until(lambda: is_parked(vault))
    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert event_ids([parked]) == [event_id]
    assert parked.headers["kuji-attempt"] == len(DELAYS_S) + 1
    assert parked.headers["kuji-error"] == "TransientError"


async def is_parked(vault: Bus) -> bool:
    return (await vault.queue_depths())["vault.parked"] == 1


@pytest.mark.parametrize("kind", ["transient", "unexpected"])
async def test_one_bad_message_costs_its_batch_nothing_and_is_retried_alone(
    harness: MessagingHarness, kind: str
) -> None:
    intake, witness = await harness.running(await harness.bus("intake")), Witness()
    good, bad = [received() for _ in range(10)], received(key_id=kind)
    await await_all(*(intake.publish(event) for event in [*good[:5], bad, *good[5:]]))
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, witness)

    await harness.running(vault)
    await until(lambda: witness.attempts(bad.application_id) >= 3)

    assert await marks(await harness.store("vault")) == {event.application_id: 1 for event in good}


async def test_a_message_that_recovers_on_its_second_attempt_is_handled_once(harness: MessagingHarness) -> None:
    tried: list[ApplicationReceived] = []
    witness = Witness()

    async def fail_first(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        await witness(events, uow)
        tried.extend(events)
        if len(tried) == 1:
            raise TransientError("not now")

    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, fail_first)
    await harness.running(vault)
    event = received()
    await (await harness.running(await harness.bus("intake"))).publish(event)

    await until(lambda: len(tried) == 2)
    await all_marked(await harness.store("vault"), 1)
    assert await marks(await harness.store("vault")) == {event.application_id: 1}
    assert (await vault.queue_depths())["vault.parked"] == 0


async def test_a_permanent_error_is_parked_at_once_with_its_type_and_without_its_text(
    harness: MessagingHarness,
) -> None:
    intake, witness = await harness.running(await harness.bus("intake")), Witness()
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, witness)
    await harness.running(vault)

    await intake.publish(received(key_id="permanent"))
    await until(lambda: is_parked(vault))

    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert parked.headers["kuji-error"] == "PermanentError"
    assert "never" not in str(parked.headers)
    assert len(witness.calls) == 1


async def test_a_retried_copy_carries_no_trace_of_the_brokers_own_bookkeeping(harness: MessagingHarness) -> None:
    """RabbitMQ drops a message that walks in a circle by its own headers; copies start without them."""
    intake, witness = await harness.running(await harness.bus("intake")), Witness()
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, witness)
    await harness.running(vault)

    await intake.publish(received(key_id="transient"))
    await until(lambda: is_parked(vault))

    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert not [name for name in parked.headers if name.startswith("x-") and name != "x-delivery-count"]


async def test_while_a_service_is_not_ready_its_messages_wait_without_an_attempt_being_counted(
    harness: MessagingHarness,
) -> None:
    witness, ready = Witness(), False

    async def locked(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        if not ready:
            raise NotReadyError("locked")
        await witness(events, uow)

    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, locked)
    await harness.running(vault)
    event = received()
    await (await harness.running(await harness.bus("intake"))).publish(event)

    await asyncio.sleep(1.5)
    waiting = sum((await vault.queue_depths()).values())
    ready = True
    await all_marked(await harness.store("vault"), 1)

    assert waiting == 0
    assert await marks(await harness.store("vault")) == {event.application_id: 1}


async def test_a_service_that_is_not_able_leaves_its_messages_with_the_broker(harness: MessagingHarness) -> None:
    witness, able = Witness(), False

    async def is_able() -> bool:
        return able

    vault = await harness.bus("vault", able=is_able)
    vault.consume(ApplicationReceived, witness)
    event = received()
    async with vault:
        await (await harness.running(await harness.bus("intake"))).publish(event)
        await asyncio.sleep(0.5)
        assert not await vault.ready()
        assert (await vault.queue_depths())["vault.application.received"] == 1
        able = True
        await all_marked(await harness.store("vault"), 1)
