"""A publish is confirmed, or raises BrokerUnavailableError within its timeout."""

import asyncio
import os
import signal
import time

import pytest

from deploy.local.rabbitmq import RabbitMQ
from shared.errors import TransientError
from shared.ids import new_application_id, new_event_id
from shared.messaging import BrokerUnavailableError, Bus
from tests.support.messaging_harness import MessagingHarness, decided, event_ids, received
from tests.support.service_keys import signed
from tests.support.waiting import await_all


async def test_a_published_event_is_in_its_consumers_queue_when_publish_returns(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("intake"))
    event, event_id = received(), new_event_id()

    assert await bus.publish(event, event_id) == event_id

    (message,) = await harness.take_all(harness.names.queue("vault", "application.received"))
    assert message.body == event.to_json()
    assert message.type == "application.received"
    ours = {name: value for name, value in message.headers.items() if name.startswith("kuji-")}
    signed_by = signed(event, event_id).signature
    assert ours == {
        "kuji-event-id": event_id,
        "kuji-attempt": 1,
        "kuji-publisher": "intake",
        "kuji-key": signed_by.key,
        "kuji-signature": signed_by.signature,
    }
    assert message.delivery_mode == 2


async def test_every_attempt_has_an_amqp_id_of_its_own_and_the_same_event_id(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("intake"))
    event, event_id = received(), new_event_id()

    await bus.publish(event, event_id)
    await bus.publish(event, event_id)

    messages = await harness.take_all(harness.names.queue("vault", "application.received"))
    assert event_ids(messages) == [event_id, event_id]
    assert len({message.message_id for message in messages}) == 2


async def test_hundreds_of_publishes_are_in_flight_at_once_and_all_are_confirmed(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("intake"))

    sent = await await_all(*(bus.publish(received()) for _ in range(300)))

    messages = await harness.take_all(harness.names.queue("vault", "application.received"))
    assert sorted(event_ids(messages)) == sorted(sent)


async def test_an_event_that_no_queue_takes_is_returned_and_refused(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("intake"))
    async with harness.channel() as channel:
        await channel.queue_delete(harness.names.queue("vault", "application.received"))

    with pytest.raises(BrokerUnavailableError, match="PublishError"):
        await bus.publish(received())


async def test_a_missing_topology_is_said_with_what_to_do(amqp_url: str, mongo_url: str, namespace: str) -> None:
    nothing = MessagingHarness(amqp_url, mongo_url, namespace)
    bus = await nothing.bus("intake")
    with pytest.raises(BrokerUnavailableError, match=r"shared\.messaging\.declare"):
        await bus.publish(received())
    await bus.drain()
    await (await nothing.store("intake")).db.client.drop_database(nothing.database("intake"))
    await (await nothing.store("intake")).close()


async def test_a_returned_event_does_not_disturb_others_in_flight(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("vault"))
    async with harness.channel() as channel:
        await channel.queue_delete(harness.names.queue("vault", "application.received"))

    outcomes = await asyncio.gather(
        bus.publish(received()),
        *(bus.publish(decided(new_application_id())) for _ in range(20)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[0], BrokerUnavailableError)
    assert not [outcome for outcome in outcomes[1:] if isinstance(outcome, BaseException)]


async def test_publishing_to_a_broker_that_is_away_fails_at_once_and_is_transient(harness: MessagingHarness) -> None:
    bus = await harness.bus("intake", amqp_url="amqp://guest:guest@127.0.0.1:1/")
    begun = time.monotonic()

    with pytest.raises(TransientError):
        await bus.publish(received())

    assert time.monotonic() - begun < 4.5
    await bus.drain()


async def test_a_frozen_broker_fails_a_publish_within_the_timeout_and_works_again_when_it_thaws(
    own_harness: MessagingHarness, own_broker: RabbitMQ
) -> None:
    bus = await own_harness.running(await own_harness.bus("intake"))
    await bus.publish(received())
    group = own_broker.children[-1].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(BrokerUnavailableError):
                await bus.publish(received())
            assert time.monotonic() - begun < own_harness.timeout_s + 5
    finally:
        os.killpg(group, signal.SIGCONT)

    await _eventually_published(bus)


async def _eventually_published(bus: Bus) -> None:
    for _ in range(20):
        try:
            await bus.publish(received())
        except BrokerUnavailableError:
            await asyncio.sleep(0.2)
        else:
            return
    pytest.fail("publishing did not recover")


async def test_an_event_that_a_full_queue_refuses_is_not_taken_for_published(harness: MessagingHarness) -> None:
    bus = await harness.running(await harness.bus("intake"))
    full = f"{harness.namespace}.full"
    async with harness.channel() as channel:
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        queue = await channel.declare_queue(full, durable=True, arguments=arguments)
        await queue.bind(harness.names.events, "application.received")
        await bus.publish(received())

        with pytest.raises(BrokerUnavailableError, match="DeliveryError"):
            await bus.publish(received())
        await queue.delete(if_unused=False, if_empty=False)
