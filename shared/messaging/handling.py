"""Handle a batch: one transaction for all events, one for each where that fails, then the retry policy.

Every event ends in exactly one of: handled (state, inbox and outbox committed), a confirmed copy in a delay
queue, a confirmed copy in the parking queue, or still with the broker because we lost the channel.
Only then is its message acknowledged, and that of a bundle only after the last of its events.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from pydantic import ValidationError

from shared.contracts.base import Event
from shared.errors import NotReadyError
from shared.logging import describe, get_logger
from shared.messaging.deliveries import Deliveries
from shared.messaging.envelope import Envelope
from shared.messaging.erased import ErasedCampaigns
from shared.messaging.errors import BrokerUnavailableError, ContractViolationError
from shared.messaging.names import Names
from shared.messaging.parcels import Delivery, Parcel, by_few
from shared.messaging.publisher import Publisher
from shared.messaging.retry_policy import Park, judge
from shared.messaging.trust import Trust
from shared.messaging.untrusted import Untrusted
from shared.storage import PyMongoError, Store, StoreUnavailableError, UnitOfWork

_log = get_logger(__name__)

E = TypeVar("E", bound=Event)
Handler = Callable[[Sequence[E], UnitOfWork], Awaitable[None]]
Prepare = Callable[[Sequence[E]], Awaitable[None]]
"""Step before the transaction, for what takes long and needs no database. It may run again, and writes nothing."""

_TIMEOUT_S = 90.0
"""Outlasts the locks of a process that was killed in its transaction, also where the server keeps them 60 s."""

_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0
_LONG_WAITS = 12
_ACKNOWLEDGED_WITHIN_S = 5.0
_FEWER = 5
"""Part of a batch that events have in one transaction when they come back for the first time."""


class AbandonedError(Exception):
    """Raised when messages can no longer be acknowledged here; the broker delivers them again."""


class Handling(Generic[E]):
    """Passes the events of one queue of `service` to one handler."""

    def __init__(
        self, event_type: type[E], handler: Handler[E], *, service: str, names: Names, store: Store,
        publisher: Publisher, trust: Trust, untrusted: Untrusted, delays_s: tuple[int, ...], limit: int,
        prepare: Prepare[E] | None = None,
    ) -> None:  # fmt: skip
        """Take the collaborators. `limit`: events in one transaction; bundles hold several events."""
        self.event_type, self._handler, self._delays_s, self._limit = event_type, handler, delays_s, limit
        self.prepare = prepare
        self._queue, self._parking = names.queue(service, event_type), names.parked(service)
        self._consumer = names.plain(self._queue)
        self._names, self.store, self._publisher = names, store, publisher
        self._erased = ErasedCampaigns(store, self._queue)
        self._trust, self._untrusted = trust, untrusted

    async def handle(self, messages: Sequence[AbstractIncomingMessage], deliveries: Deliveries) -> None:
        """Handle and acknowledge `messages`. Redelivered ones are handled by few, then singly, in random order.

        Such a message may be the one that kills the process. Alone it takes no others with it, and in random order
        its neighbours, whose deliveries are counted with its own, get through long before the delivery limit. At the
        first time it is more likely that a node of the broker went: by few, hundreds are done in seconds.
        """
        try:
            parcels = [parcel for message in messages for parcel in await self._open(message, deliveries)]
            fresh = [parcel for parcel in parcels if not parcel.delivery.message.redelivered]
            for start in range(0, len(fresh), self._limit):
                await self._handle_batch(fresh[start : start + self._limit], deliveries)
            suspects = [parcel for parcel in parcels if parcel.delivery.message.redelivered]
            for group in by_few(suspects, max(1, self._limit // _FEWER)):
                await self._handle_batch(group, deliveries)
        except AbandonedError:
            deliveries.abandon()
            _log.info("batch-abandoned", queue=self._queue, count=len(messages))

    async def _open(self, message: AbstractIncomingMessage, deliveries: Deliveries) -> list[Parcel[E]]:
        envelopes = Envelope.read_all(message)
        mistrust = self._trust.mistrust(message, envelopes, self.event_type.name)
        if mistrust is not None:
            await self._set_aside(message, mistrust, deliveries)
            return []
        delivery, parcels = Delivery(message, len(envelopes)), []
        for envelope in envelopes:
            try:
                parcels.append(Parcel(delivery, envelope, self.parse(envelope)))
            except ContractViolationError as error:
                await self._divert(delivery, envelope, error, deliveries)
        return parcels

    def parse(self, envelope: Envelope) -> E:
        """Return the event. Raises ContractViolationError where its form is wrong or it names another service."""
        try:
            event = self.event_type.model_validate_json(envelope.body)
        except ValidationError:
            raise ContractViolationError("malformed") from None
        publisher = envelope.signature and envelope.signature.publisher
        if getattr(event, "service", publisher) != publisher:
            raise ContractViolationError("other-service")
        return event

    async def _handle_batch(self, parcels: Sequence[Parcel[E]], deliveries: Deliveries) -> None:
        if not parcels:
            return
        try:
            await self._commit(parcels, deliveries)
        except (AbandonedError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  (the consumer loop: the error's type decides what follows)
            _log.warning("batch-failed", queue=self._queue, count=len(parcels), **describe(error))
            if len(parcels) == 1:
                await self._divert(parcels[0].delivery, parcels[0].envelope, error, deliveries)
                return
            for parcel in parcels:
                await self._handle_batch([parcel], deliveries)
        else:
            await _count_answered([parcel.delivery for parcel in parcels], deliveries)

    async def _commit(self, parcels: Sequence[Parcel[E]], deliveries: Deliveries) -> None:
        """Commit one transaction. While the database is away or the service not ready, all events wait.

        A batch that has waited for long is let go of; the consumer attaches again once all is well.
        """
        waits_s = [_WAIT_S, 2 * _WAIT_S, 4 * _WAIT_S, *[_LONGEST_WAIT_S] * _LONG_WAITS]
        while True:
            try:
                if self.prepare is not None:
                    await self.prepare([parcel.event for parcel in parcels])
                await self.store.transact(lambda uow: self.run_handler(parcels, uow), retry_s=_TIMEOUT_S)
            except (StoreUnavailableError, NotReadyError) as error:
                if deliveries.ended or not waits_s:
                    raise AbandonedError from None
                if isinstance(error, StoreUnavailableError) and await self.store.ping():
                    raise
                await asyncio.sleep(waits_s.pop(0))
            else:
                return

    async def run_handler(self, parcels: Sequence[Parcel[E]], uow: UnitOfWork) -> None:
        events = {parcel.envelope.event_id: parcel.event for parcel in parcels}
        unseen = await self.store.inbox.unseen(self._consumer, list(events), uow.session)
        kept = await self._erased.without({key: event for key, event in events.items() if key in unseen}, uow)
        if not kept:
            return
        campaigns = {key: event.erasable_campaign for key, event in kept.items()}
        await self.store.inbox.record(self._consumer, campaigns, uow.session)
        await self._handler(list(kept.values()), uow)

    async def _divert(self, delivery: Delivery, envelope: Envelope, error: Exception, deliveries: Deliveries) -> None:
        """Publish a copy to a delay queue or the parking queue; only then acknowledge the original."""
        if await self._is_erased(envelope, deliveries):
            await _count_answered([delivery], deliveries)
            return
        verdict = judge(error, envelope.attempt, self._delays_s)
        about = {"queue": self._queue, "event_id": envelope.event_id, "attempt": envelope.attempt}
        if isinstance(verdict, Park):
            await self._insist(self._parking, self._queue, envelope.parked(self._queue, verdict.error), deliveries)
            _log.error("message-parked", code=verdict.error, **about)
        else:
            delay_queue = self._names.delay_queue(verdict.delay_s)
            await self._insist(delay_queue, self._queue, envelope.again().message(), deliveries)
            _log.warning("message-retried", delay_s=verdict.delay_s, **about)
        await _count_answered([delivery], deliveries)

    async def _is_erased(self, envelope: Envelope, deliveries: Deliveries) -> bool:
        """Return True if the event's campaign was erased. Raises AbandonedError while the database is away."""
        try:
            return await self._erased.drops(envelope)
        except (StoreUnavailableError, PyMongoError):
            deliveries.abandon()
            raise AbandonedError from None

    async def _set_aside(self, message: AbstractIncomingMessage, mistrust: str, deliveries: Deliveries) -> None:
        """Keep a record of an untrusted message, without its body; then the broker may forget the message."""
        await self._insist(self._untrusted.queue, self._queue, self._untrusted.record(message, mistrust), deliveries)
        _log.error("message-untrusted", queue=self._queue, code=mistrust, size=len(message.body))
        await acknowledge([message])
        deliveries.acknowledged([message])

    async def _insist(self, exchange: str, routing_key: str, copy: Message, deliveries: Deliveries) -> None:
        """Publish the copy until the broker confirms it or takes the original back; the inbox removes extra copies."""
        wait_s = _WAIT_S
        while True:
            try:
                await self._publisher.publish(exchange, routing_key, copy)
            except BrokerUnavailableError:
                if deliveries.ended:
                    raise AbandonedError from None
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                return


async def _count_answered(answered: Sequence[Delivery], deliveries: Deliveries) -> None:
    """Acknowledge those messages of which no event is unanswered any more."""
    done = []
    for delivery in answered:
        delivery.unanswered -= 1
        if delivery.unanswered == 0:
            done.append(delivery.message)
    await acknowledge(done)
    deliveries.acknowledged(done)


async def acknowledge(messages: Sequence[AbstractIncomingMessage]) -> None:
    """Hand acknowledgements to the client's writer, which is gone for good where the connection is.

    Raises AbandonedError then: the messages will come again, and the inbox knows their events.
    """
    try:
        async with asyncio.timeout(_ACKNOWLEDGED_WITHIN_S):
            for message in messages:
                if message.delivery_tag is not None:
                    await message.channel.basic_ack(message.delivery_tag, wait=False)
    except (TimeoutError, AMQPError, ChannelInvalidStateError):
        raise AbandonedError from None
