"""Messaging of one service: consumes and publishes events, and gives access to those that failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Self, TypeVar

from fastapi import APIRouter

from shared.contracts import ROUTES
from shared.contracts.base import Event
from shared.errors import ConfigurationError
from shared.ids import CampaignId, EventId, new_event_id
from shared.logging import get_logger
from shared.messaging.consumer import Able, Consumer, finish
from shared.messaging.copies import CopiesCheck
from shared.messaging.deliveries import Batch
from shared.messaging.depths import queue_depths
from shared.messaging.envelope import Envelope, bundles
from shared.messaging.handling import Handler, Handling, Prepare
from shared.messaging.link import Link
from shared.messaging.names import Names
from shared.messaging.outbox_publisher import OutboxPace, OutboxPublisher
from shared.messaging.parking import Parking
from shared.messaging.publisher import Publisher
from shared.messaging.staff import Inspection, parking_router
from shared.messaging.trust import Trust
from shared.messaging.untrusted import Untrusted
from shared.service_keys import PublicKeys, ServiceKey
from shared.settings import ServiceSettings
from shared.staff_acts import ActRecorder
from shared.staff_roles import Right
from shared.storage import Store
from shared.web.service_token import metrics_guard
from shared.web.sign_in.staff import Access

_log = get_logger(__name__)

E = TypeVar("E", bound=Event)

_WATCH_S = 1.0
"""Seconds between two questions to the node that the consumers are attached to."""


class Bus:
    """Use it as `async with bus:`, after the handlers are connected; leaving the block drains it.

    Two connections: one to publish, one to consume, so that a blocked publisher holds up no acknowledgement.
    A broker that is away at the start, or goes away later, stops nothing for good: consumers attach again.
    They attach only while the database answers and `able`, where given, holds (a vault that is locked is not able).
    """

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        store: Store,
        pace: OutboxPace | None = None,
        *,
        able: Able | None = None,
    ) -> None:
        self._service, self._store, self._settings, self._able_too = service, store, settings, able
        self._names = Names(settings.namespace)
        self._key = ServiceKey(settings.service_keys_dir, service)
        self._trust = Trust(PublicKeys(settings.service_keys_dir), service)
        store.sign_events_with(self._key)
        url, timeout_s = settings.amqp_url.get_secret_value(), settings.timeout_s
        self._publishing = Link(url, f"{service} (publishing)", timeout_s, confirms=True)
        self._consuming = Link(url, f"{service} (consuming)", timeout_s)
        self._publisher = Publisher(self._publishing, timeout_s)
        self._outbox_publisher = OutboxPublisher(store, self._publisher, self._names, pace or OutboxPace())
        consumed = [route.event for route in ROUTES if service in route.consumers]
        self._queues = tuple(self._names.queue(service, event) for event in consumed)
        self._copies = CopiesCheck.of(settings, self._names, (*self._queues, self._names.parked(service)))
        self.untrusted = Untrusted(self._consuming, self._names, service, timeout_s)
        self.parking = Parking(
            self._consuming,
            self._publisher,
            queue=self._names.parked(service),
            delay_queue=self._names.delay_queue(min(settings.retry_delays_s)),
            origins=self._queues,
            trust=self._trust,
            untrusted=self.untrusted,
            names=self._names,
            timeout_s=timeout_s,
        )
        self.consumers: list[Consumer] = []
        self._conditional: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._publisher_task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    def consume(
        self, event_type: type[E], handler: Handler[E], batch: Batch | None = None, *, when: Able | None = None,
        prepare: Prepare[E] | None = None,
    ) -> None:  # fmt: skip
        """Hand events of this type to `handler`, which may be run again and must change nothing but the database.

        `prepare` runs before the transaction, for what takes long and needs no database; its errors are the handler's.
        While `when` does not hold, these events wait with the broker, and the service counts as ready without them.
        Raises ConfigurationError where the routes do not make this service a consumer, or the bus runs already.
        """
        queue, batch = self._names.queue(self._service, event_type), batch or Batch()
        if queue not in self._queues or self._publisher_task is not None:
            raise ConfigurationError(
                f"{self._service} cannot consume {event_type.name}: see shared/contracts/routes.py"
            )
        handling = Handling(
            event_type,
            handler,
            service=self._service,
            names=self._names,
            store=self._store,
            publisher=self._publisher,
            trust=self._trust,
            untrusted=self.untrusted,
            delays_s=self._settings.retry_delays_s,
            limit=batch.size,
            prepare=prepare,
        )
        able = self._able if when is None else self._able_and(when)
        consumer = Consumer(queue, self._consuming, batch, handling, able=able, timeout_s=self._settings.timeout_s)
        self.consumers.append(consumer)
        if when is not None:
            self._conditional.add(queue)

    async def publish(self, event: Event, event_id: EventId | None = None) -> EventId:
        """Publish `event` now and return its id when the broker has confirmed it.

        Raises BrokerUnavailableError within the settings' `timeout_s` otherwise. The event may have arrived even so:
        publish it again with the same `event_id`.
        """
        event_id = event_id or new_event_id()
        message = self._signed(event_id, event).message()
        await self._publisher.publish(self._names.events, event.name, message)
        return event_id

    async def publish_all(self, events: Sequence[tuple[EventId, Event]]) -> None:
        """Publish events of one kind and one campaign in bundles; return when the broker has confirmed all of them.

        Raises BrokerUnavailableError otherwise: any of them may have arrived even so. Publish all of them again.
        """
        name = events[0][1].name
        envelopes = [self._signed(event_id, event) for event_id, event in events]
        sent = (self._publisher.publish(self._names.events, name, message) for message in bundles(envelopes))
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if outcome is not None:
                raise outcome

    def _signed(self, event_id: EventId, event: Event) -> Envelope:
        body = event.to_json()
        return Envelope(event_id, event.name, body, signature=self._key.sign_event(event.name, event_id, body))

    async def start(self) -> None:
        """Start consuming and publishing in the background. The broker may still be away."""
        self._store.when_emitted(self._outbox_publisher.notify)
        self._publisher_task = asyncio.create_task(self._outbox_publisher.run(), name="outbox publisher")
        self._tasks = [asyncio.create_task(consumer.run(), name=consumer.queue) for consumer in self.consumers]
        if self._consuming.has_other_nodes:
            self._watch = asyncio.create_task(self._consuming.watch(_WATCH_S), name="watch of the broker's node")

    async def drain(self) -> None:
        """Stop consuming, handle delivered messages, empty the outbox and disconnect, within `shutdown_s`.

        What could not be finished in time stays with the broker and in the outbox, for the next to start.
        """
        for consumer in self.consumers:
            consumer.stop()
        await finish(self._tasks, 0.75 * self._settings.shutdown_s)
        if self._publisher_task is not None:
            self._outbox_publisher.finish()
            await finish([self._publisher_task], 0.25 * self._settings.shutdown_s)
        if self._watch is not None:
            self._watch.cancel()
        await self._publishing.close()
        await self._consuming.close()
        _log.info("drained", service=self._service)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drain()

    async def _able(self) -> bool:
        return await self._store.ping() and (self._able_too is None or await self._able_too())

    def _able_and(self, when: Able) -> Able:
        async def able() -> bool:
            return await when() and await self._able()

        return able

    async def ready(self) -> bool:
        """Return True if every consumer is attached that waits for no condition of its own; for health checks."""
        return all(consumer.attached for consumer in self.consumers if consumer.queue not in self._conditional)

    async def queue_depths(self) -> dict[str, int]:
        """Count ready messages in this service's queues and its parking queue, by name without namespace."""
        return await self._depths((*self._queues, self._names.parked(self._service)))

    async def inlet_depths(self) -> dict[str, int]:
        """Return the number of ready messages in the queues that this service consumes, by name without namespace."""
        return await self._depths(self._queues)

    async def delay_depths(self) -> dict[str, int]:
        """Return the number of messages waiting in the delay queues, of all services, by name without namespace."""
        return await self._depths([self._names.delay_queue(delay_s) for delay_s in self._settings.retry_delays_s])

    def unacknowledged(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's messages that this process was given and has not acknowledged yet."""
        return sum(consumer.unacknowledged(campaign) for consumer in self.consumers)

    @property
    def alarms(self) -> Mapping[str, Callable[[], Awaitable[int]]]:
        """Counts that should be zero, for the health page and `./kuji status`."""
        short = {"queues_short_of_copies": self._copies.count_short} if self._copies.is_wanted else {}
        return {"untrusted_messages": self.untrusted.count, **short}

    async def purge_campaign(self, campaign: CampaignId) -> int:
        """Discard the campaign's messages in this service's parking queue and return their number."""
        return await self.parking.purge(campaign)

    async def parked(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's messages in this service's parking queue."""
        return await self.parking.count(campaign)

    async def _depths(self, queues: Sequence[str]) -> dict[str, int]:
        depths = await queue_depths(self._consuming, queues, self._settings.timeout_s)
        return {self._names.plain(name): depth for name, depth in depths.items()}

    def parking_router(self, access: Access, record: ActRecorder) -> APIRouter:
        """Return the staff calls on queues, parked messages and records of untrusted messages.

        `record`: called before each act, which does not happen if it raises.
        """
        metrics = metrics_guard(self._settings.ops_token_file, access.guard(Right.READ_QUEUES))
        engineers = access.guard(Right.SETTLE_PARKED)
        return parking_router(
            self.parking,
            self.untrusted,
            Inspection(self.queue_depths, self._copies.report),
            record,
            metrics=metrics,
            engineers=engineers,
        )
