"""Each service's user on a broker set up from our definitions file: what it needs works, everything else is denied."""

import json
import uuid
from collections.abc import Awaitable, Callable

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused

from deploy.local.rabbitmq import RabbitMQ
from shared.contracts import ROUTES, SERVICES
from shared.messaging.access import User, definitions, password_hash
from shared.messaging.names import Names
from shared.messaging.topology import RETRY_DELAYS_S, declare
from tests.support.private_broker import PASSWORD

NAMES = Names()
Act = Callable[[AbstractChannel], Awaitable[object]]


def publish(exchange: str, routing_key: str) -> Act:
    async def act(channel: AbstractChannel) -> None:
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await target.publish(aio_pika.Message(b"{}", message_id=uuid.uuid4().hex), routing_key, timeout=5)

    return act


def read(queue: str) -> Act:
    async def act(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).get(fail=False)

    return act


async def is_allowed(broker: RabbitMQ, service: str, act: Act) -> bool:
    async with (
        await aio_pika.connect(broker.url(service, PASSWORD), timeout=5) as connection,
        connection.channel(on_return_raises=True) as channel,
    ):
        try:
            await act(channel)
        except ChannelAccessRefused:
            return False
        return True


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_may_say_its_own_events_and_no_others(own_broker: RabbitMQ, service: str) -> None:
    for route in ROUTES:
        allowed = await is_allowed(own_broker, service, publish(NAMES.events, route.event.name))
        assert allowed == (service in route.publishers), route.event.name


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_may_read_its_own_queues_and_no_others(own_broker: RabbitMQ, service: str) -> None:
    for route in ROUTES:
        for consumer in route.consumers:
            allowed = await is_allowed(own_broker, service, read(NAMES.queue(consumer, route.event)))
            assert allowed == (consumer == service), (consumer, route.event.name)
    for other in SERVICES:
        assert await is_allowed(own_broker, service, read(NAMES.parked(other))) == (other == service)
    assert not await is_allowed(own_broker, service, read(NAMES.delay_queue(RETRY_DELAYS_S[0])))


async def test_retries_lead_back_into_ones_own_queues_only(own_broker: RabbitMQ) -> None:
    delay_queue = NAMES.delay_queue(RETRY_DELAYS_S[0])
    assert await is_allowed(own_broker, "lottery", publish(delay_queue, NAMES.queue("lottery", "receipts.closed")))
    assert not await is_allowed(
        own_broker, "lottery", publish(delay_queue, NAMES.queue("vault", "application.received"))
    )


async def test_a_service_parks_for_itself_only_and_cannot_go_round_by_the_default_exchange(
    own_broker: RabbitMQ,
) -> None:
    queue = NAMES.queue("vault", "application.received")
    assert await is_allowed(own_broker, "vault", publish(NAMES.parked("vault"), queue))
    assert not await is_allowed(own_broker, "intake", publish(NAMES.parked("vault"), queue))
    assert not await is_allowed(own_broker, "intake", publish("", queue))
    assert not await is_allowed(own_broker, "intake", publish("amq.topic", queue))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_declares_deletes_and_binds_nothing(own_broker: RabbitMQ, service: str) -> None:
    own = NAMES.parked(service)

    async def declare_queue(channel: AbstractChannel) -> None:
        await channel.declare_queue("anything", durable=True)

    async def delete_queue(channel: AbstractChannel) -> None:
        await channel.queue_delete(own)

    async def bind(channel: AbstractChannel) -> None:
        await (await channel.get_queue(own, ensure=False)).bind(NAMES.events, "#")

    for act in (declare_queue, delete_queue, bind):
        assert not await is_allowed(own_broker, service, act)


async def test_the_definitions_file_and_declare_bring_about_the_same_topology(own_broker: RabbitMQ) -> None:
    """Declaring over what the file made fails where a single argument differs."""
    await declare(own_broker.url())


def test_definitions_are_json_and_hold_no_password() -> None:
    users = [User("intake", "sesame-1", "intake"), User("admin", "sesame-2")]
    text = json.dumps(definitions(users))
    assert "sesame" not in text
    assert "sesame" not in repr(users)
    assert json.loads(text)["users"][1]["tags"] == ["administrator"]


def test_the_password_hash_is_the_one_of_rabbitmqs_guide() -> None:
    """Check the worked example of RabbitMQ's passwords guide: salt 908DC60A, password test12."""
    assert password_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
