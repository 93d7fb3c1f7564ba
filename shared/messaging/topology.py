"""Exchanges, queues and bindings of the broker, derived from the contracts' routes alone.

Services never declare anything (their users may not). One owner does: the local stack, the provisioning
container, a test fixture; by `declare` here, `python -m shared.messaging.declare`, or a definitions file.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection

from shared.contracts import ROUTES, SERVICES, Route
from shared.errors import ConfigurationError
from shared.json_types import JsonObject
from shared.messaging.addresses import parse_addresses
from shared.messaging.errors import BrokerTooOldError
from shared.messaging.link import connect
from shared.messaging.names import Names

RETRY_DELAYS_S = (1, 10, 60)
DELIVERY_LIMIT = 20
"""Deliveries without an answer (the consumer's process died each time) after which a message is parked."""

_NAME = "topology"
"""Name of the owner's connection, as the broker lists it."""

_NEVER = 1_000_000
"""Delivery limit of a parking queue, where every look counts. RabbitMQ 4 would drop after 20 without one."""


_UNTRUSTED_KEPT = 10_000
"""Records of untrusted messages; the oldest go first, so that a flood fills no disk."""


@dataclass(frozen=True)
class Exchange:
    name: str


@dataclass(frozen=True)
class Queue:
    name: str
    arguments: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class Binding:
    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True)
class Topology:
    """Topology of an installation. All exchanges are durable topic exchanges, all queues durable quorum queues."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def describe(
    namespace: str = "",
    retry_delays_s: Sequence[int] = RETRY_DELAYS_S,
    delivery_limit: int = DELIVERY_LIMIT,
    routes: Sequence[Route] = ROUTES,
) -> Topology:
    """Return the topology that these routes need."""
    names = Names(namespace)
    delay_queues = [names.delay_queue(delay_s) for delay_s in sorted(set(retry_delays_s))]
    parkings = [names.parked(service) for service in SERVICES]
    untrusted = [names.untrusted(service) for service in SERVICES]
    consumer_queues = [
        (names.queue(service, route.event), names.parked(service), route.event.name)
        for route in routes
        for service in route.consumers
    ]
    return Topology(
        exchanges=tuple(Exchange(name) for name in (names.events, *delay_queues, *parkings, *untrusted)),
        queues=(
            *(Queue(names.delay_queue(delay_s), _delay(delay_s)) for delay_s in sorted(set(retry_delays_s))),
            *(Queue(parking, _parking()) for parking in parkings),
            *(Queue(name, _untrusted()) for name in untrusted),
            *(Queue(queue, _consumer_queue(parking, delivery_limit)) for queue, parking, _ in consumer_queues),
        ),
        bindings=(
            *(Binding(name, name, "#") for name in (*delay_queues, *parkings, *untrusted)),
            *(Binding(names.events, queue, key) for queue, _, key in consumer_queues),
        ),
    )


def _consumer_queue(parking: str, delivery_limit: int) -> JsonObject:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": delivery_limit,
        "x-dead-letter-exchange": parking,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _delay(delay_s: int) -> JsonObject:
    """Delay all messages equally long; the routing key of a message leads it back."""
    return {
        "x-queue-type": "quorum",
        "x-message-ttl": delay_s * 1000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _parking() -> JsonObject:
    return {"x-queue-type": "quorum", "x-delivery-limit": _NEVER, "x-overflow": "reject-publish"}


def _untrusted() -> JsonObject:
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": _NEVER,
        "x-max-length": _UNTRUSTED_KEPT,
        "x-overflow": "drop-head",
    }


async def declare(
    url: str,
    namespace: str = "",
    *,
    retry_delays_s: Sequence[int] = RETRY_DELAYS_S,
    delivery_limit: int = DELIVERY_LIMIT,
    timeout_s: float = 30.0,
) -> None:
    """Declare the topology on the broker at `url`; its user must be allowed to. Safe to run again.

    Raises ConfigurationError for a broker that is too old, or where something of that name is there already and
    differs.
    """
    topology = describe(namespace, retry_delays_s, delivery_limit)
    async with asyncio.timeout(timeout_s):
        connection = await _connect(url, timeout_s)
        async with connection, connection.channel() as channel:
            try:
                await _declare(channel, topology)
            except aio_pika.exceptions.ChannelPreconditionFailed:
                raise ConfigurationError(
                    "the broker has an exchange or queue of the same name with other arguments; "
                    "empty and delete it, or use another KUJI_NAMESPACE"
                ) from None


async def _declare(channel: AbstractChannel, topology: Topology) -> None:
    for exchange in topology.exchanges:
        await channel.declare_exchange(exchange.name, aio_pika.ExchangeType.TOPIC, durable=True)
    queues = {
        queue.name: await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        for queue in topology.queues
    }
    for binding in topology.bindings:
        await queues[binding.queue].bind(binding.exchange, binding.routing_key)


async def _connect(url: str, timeout_s: float) -> AbstractConnection:
    """Connect to the first node that answers. Raises ConfigurationError for a broker that is too old."""
    *others, last = parse_addresses(url)
    try:
        for address in others:
            with contextlib.suppress(OSError):
                return await connect(address, _NAME, timeout_s / (len(others) + 1))
        return await connect(last, _NAME, timeout_s)
    except BrokerTooOldError as error:
        raise ConfigurationError(str(error)) from None


async def remove(
    url: str, namespace: str, *, retry_delays_s: Sequence[int] = RETRY_DELAYS_S, timeout_s: float = 30.0
) -> None:
    """Delete the topology of `namespace` with all waiting messages."""
    topology = describe(namespace, retry_delays_s)
    async with asyncio.timeout(timeout_s):
        connection = await _connect(url, timeout_s)
        async with connection, connection.channel() as channel:
            for queue in topology.queues:
                await channel.queue_delete(queue.name)
            for exchange in topology.exchanges:
                await channel.exchange_delete(exchange.name)
