"""An installation for one test: the topology on the real broker, a database and a bus per service asked for."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aio_pika
from pydantic import SecretStr

from shared.contracts import ApplicationReceived, ApplicationsDecided, Decision
from shared.ids import ApplicationId, CampaignId, EventId, KeyId, Receipt, new_application_id
from shared.messaging import Bus, OutboxPace
from shared.messaging.names import Names
from shared.messaging.topology import declare, describe
from shared.settings import ServiceSettings
from shared.storage import Store
from tests.support.databases import drop_database
from tests.support.message_samples import SAMPLES
from tests.support.service_keys import keys_dir, service_key
from tests.support.waiting import until

CAMPAIGN = CampaignId("777-days")
DELAYS_S = (1, 2)
RECEIVED = next(event for event in SAMPLES if isinstance(event, ApplicationReceived))


def received(
    application_id: ApplicationId | None = None, key_id: str = "k1", campaign: str = CAMPAIGN
) -> ApplicationReceived:
    """Return an event of the right shape; `key_id` chooses what the tests' handlers do with it."""
    return RECEIVED.model_copy(
        update={
            "application_id": application_id or new_application_id(),
            "key_id": KeyId(key_id),
            "campaign": CampaignId(campaign),
            "receipt": Receipt("W-7K3M-9Q2P-6"),
        }
    )


def decided(application_id: ApplicationId) -> ApplicationsDecided:
    decision = Decision(
        application_id=application_id, receipt=Receipt("W-7K3M-9Q2P-6"), version=1, status="complete", revision=1
    )
    return ApplicationsDecided(campaign=CAMPAIGN, items=(decision,))


@dataclass
class MessagingHarness:
    amqp_url: str
    mongo_url: str
    namespace: str
    timeout_s: float = 5.0
    delivery_limit: int = 20
    delays_s: tuple[int, ...] = DELAYS_S

    def __post_init__(self) -> None:
        self.names = Names(self.namespace)
        self._open = contextlib.AsyncExitStack()
        self._stores: dict[str, Store] = {}

    async def __aenter__(self) -> Self:
        await declare(self.amqp_url, self.namespace, retry_delays_s=self.delays_s, delivery_limit=self.delivery_limit)
        return self

    async def __aexit__(self, *_: object) -> None:
        async with contextlib.AsyncExitStack() as ending:
            for store in self._stores.values():
                await ending.enter_async_context(store)
                ending.push_async_callback(drop_database, store)
            ending.push_async_callback(self._remove_topology)
            await self._open.aclose()

    def database(self, service: str) -> str:
        return f"{self.namespace}_{service}"

    def settings(self, service: str, amqp_url: str | None = None) -> ServiceSettings:
        return ServiceSettings(
            amqp_url=SecretStr(amqp_url or self.amqp_url),
            mongo_url=SecretStr(self.mongo_url),
            mongo_database=self.database(service),
            namespace=self.namespace,
            state_dir=Path("/nonexistent"),
            service_keys_dir=keys_dir(),
            timeout_s=self.timeout_s,
            retry_delays_s=self.delays_s,
            shutdown_s=10,
        )

    def environment(self, service: str) -> dict[str, str]:
        """Return the same settings as environment of a separate process."""
        return {
            "KUJI_AMQP_URL": self.amqp_url,
            "KUJI_MONGO_URL": self.mongo_url,
            "KUJI_MONGO_DATABASE": self.database(service),
            "KUJI_NAMESPACE": self.namespace,
            "KUJI_STATE_DIR": "/nonexistent",
            "KUJI_SERVICE_KEYS_DIR": str(keys_dir()),
            "KUJI_RETRY_DELAYS_S": str(list(self.delays_s)),
            "KUJI_SHUTDOWN_S": "10",
        }

    async def store(self, service: str) -> Store:
        if service not in self._stores:
            self._stores[service] = Store.open(self.mongo_url, self.database(service))
            await self._stores[service].ensure()
            self._stores[service].sign_events_with(service_key(service))
        return self._stores[service]

    async def bus(
        self,
        service: str,
        *,
        pace: OutboxPace | None = None,
        amqp_url: str | None = None,
        able: Callable[[], Awaitable[bool]] | None = None,
    ) -> Bus:
        """Not started; its handlers are the test's business. Hangs up at the end of the test."""
        bus = Bus(self.settings(service, amqp_url), service, await self.store(service), pace, able=able)
        self._open.push_async_callback(bus.drain)
        return bus

    async def running(self, bus: Bus) -> Bus:
        """Started and attached; drained at the end of the test."""
        await self._open.enter_async_context(bus)
        await until(bus.ready)
        return bus

    @contextlib.asynccontextmanager
    async def channel(self) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
        async with await aio_pika.connect(self.amqp_url, timeout=10) as connection, connection.channel() as channel:
            yield channel

    async def put(self, queue: str, message: aio_pika.Message) -> None:
        """Put a message into a queue as a foreign program would."""
        async with self.channel() as channel:
            await channel.default_exchange.publish(message, queue)

    async def take_all(self, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
        """Take every message that waits in `queue`, and return them."""
        async with self.channel() as channel:
            target = await channel.get_queue(queue)
            taken = []
            while (message := await target.get(fail=False, no_ack=True)) is not None:
                taken.append(message)
            return taken

    async def _remove_topology(self) -> None:
        async with self.channel() as channel:
            topology = describe(self.namespace, self.delays_s)
            for queue in topology.queues:
                await channel.queue_delete(queue.name)
            for exchange in topology.exchanges:
                await channel.exchange_delete(exchange.name)


def event_ids(messages: list[aio_pika.abc.AbstractIncomingMessage]) -> list[EventId]:
    return [EventId(str(message.headers["kuji-event-id"])) for message in messages]
