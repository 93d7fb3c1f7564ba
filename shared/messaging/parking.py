"""Parking queue: messages that a service could not handle, for staff to see, replay and discard.

Looking means taking every message, reading its headers, and letting go of them all; the broker puts them back
in place. A second look at the same moment may see none of them, so a service looks once at a time.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from shared.ids import CampaignId
from shared.logging import get_logger
from shared.messaging import envelope as headers
from shared.messaging import staff_text
from shared.messaging.envelope import Envelope, campaign_of
from shared.messaging.errors import NotReplayableError
from shared.messaging.link import Link, answering
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.messaging.trust import Trust
from shared.messaging.untrusted import Untrusted

_log = get_logger(__name__)

LISTED = 500
"""Parked messages in one list; when staff have dealt with them, the next come into sight."""

DELIVERY_LIMIT_CODE = "DeliveryLimit"
"""Parked by the broker itself: the consumer died over it too often."""


Before = Callable[[], Awaitable[None]]
"""Called when a message was found, before anything happens to it; if it raises, the message stays parked."""


async def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Parked:
    """Parked message as staff may see it: everything but its body."""

    id: str
    event: str
    event_id: str
    origin: str
    attempts: int
    error: str
    at: str


class Parking:
    """Parking queue of one service. A replayed message goes back to one of `origins` by way of `delay_queue`."""

    def __init__(
        self,
        link: Link,
        publisher: Publisher,
        *,
        queue: str,
        delay_queue: str,
        origins: Collection[str],
        trust: Trust,
        untrusted: Untrusted,
        names: Names,
        timeout_s: float,
    ) -> None:
        self._link, self._publisher, self._names = link, publisher, names
        self._queue, self._delay, self._origins = queue, delay_queue, frozenset(origins)
        self._trust, self._untrusted = trust, untrusted
        self._timeout_s = timeout_s
        self._looking = asyncio.Lock()

    async def messages(self, limit: int = LISTED) -> list[Parked]:
        """Return the oldest parked messages, at most `limit`, oldest first."""
        async with self._held(limit) as found:
            return [self._describe(message) for message in found]

    async def replay(self, parked_id: str, before: Before = _nothing) -> bool:
        """Put a message back into its queue with attempts counted anew. Return False if it is not here.

        A bundle, parked by the broker because consumers died over it, goes back event by event.

        Raises NotReplayableError, and BrokerUnavailableError (it then stays parked).
        """
        async with self._held() as found:
            message = _find(found, parked_id)
            if message is None:
                return False
            origin = _origin(message)
            if origin not in self._origins:
                raise NotReplayableError("the message came from no queue of this service; discard it")
            await before()
            for envelope in Envelope.read_all(message):
                await self._publisher.publish(self._delay, origin, envelope.afresh().message())
            await message.ack()
            return True

    async def discard(self, parked_id: str, before: Before = _nothing) -> bool:
        """Remove a message for good. Return False if it is not here. Raises BrokerUnavailableError."""
        async with self._held() as found:
            message = _find(found, parked_id)
            if message is not None:
                await before()
                await message.ack()
            return message is not None

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of parked messages of `campaign`."""
        async with self._held() as found:
            return sum(campaign_of(message) == campaign for message in found)

    async def purge(self, campaign: CampaignId) -> int:
        """Discard every message of `campaign` for its erasure and return their number. Unreadable messages stay."""
        async with self._held() as found:
            doomed = [message for message in found if campaign_of(message) == campaign]
            for message in doomed:
                await message.ack()
            return len(doomed)

    @asynccontextmanager
    async def _held(self, limit: float = math.inf) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Hold the parked messages for the caller; messages that are not acknowledged go back in place at the end."""
        async with self._looking, answering(None), self._link.side_channel() as channel:
            queue = await channel.get_queue(self._queue, ensure=False)
            found: list[AbstractIncomingMessage] = []
            while len(found) < limit and (message := await queue.get(fail=False, timeout=self._timeout_s)):
                if await self._is_trusted(message):
                    found.append(message)
            yield found

    async def _is_trusted(self, message: AbstractIncomingMessage) -> bool:
        """Return True if the message is a signed event; replace it by a record among the untrusted ones otherwise.

        Foreign messages reach this queue past our consumers: by a copy header, or where the broker parks a message
        over which the consumer died.
        """
        mistrust = self._trust.mistrust_parked(message, Envelope.read_all(message))
        if mistrust is None:
            return True
        record = self._untrusted.record(message, mistrust)
        await self._publisher.publish(self._untrusted.queue, self._queue, record)
        _log.error("message-untrusted", queue=self._queue, code=mistrust, size=len(message.body))
        await message.ack()
        return False

    def _describe(self, message: AbstractIncomingMessage) -> Parked:
        envelope = Envelope.read(message)
        return Parked(
            id=_id(message),
            event=envelope.name,
            event_id=envelope.event_id,
            origin=self._names.plain(staff_text.queue_of(_origin(message))),
            attempts=envelope.attempt,
            error=staff_text.code_of(message.headers.get(headers.ERROR, DELIVERY_LIMIT_CODE)),
            at=_at(message),
        )


def _id(message: AbstractIncomingMessage) -> str:
    """Return the AMQP id; for a message without one of our form, a hash of its content."""
    return staff_text.hash_of(message.message_id) or hashlib.sha256(message.body).hexdigest()[:32]


def _find(found: list[AbstractIncomingMessage], parked_id: str) -> AbstractIncomingMessage | None:
    return next((message for message in found if _id(message) == parked_id), None)


def _origin(message: AbstractIncomingMessage) -> str:
    """Return the queue from our header, or from the broker's where the broker parked the message."""
    return str(message.headers.get(headers.ORIGIN) or message.headers.get("x-first-death-queue") or "")


def _at(message: AbstractIncomingMessage) -> str:
    own = message.headers.get(headers.PARKED_AT)
    if own is not None:
        return staff_text.time_of(own)
    deaths: Any = message.headers.get("x-death")
    latest = deaths[0] if isinstance(deaths, list) and deaths else {}
    return staff_text.time_of(latest.get("time")) if isinstance(latest, dict) else ""
