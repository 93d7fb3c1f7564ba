"""Parking queue: messages that a service could not handle, for staff to see, replay and discard.

Looking means taking every message, reading its headers, and letting go of them all; the broker puts them back in place.
Another look at that moment may see none of them, so a service looks once at a time, and waits until all are back.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from shared.contracts.named_people import IsErased, Mention, join
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.messaging import envelope as headers
from shared.messaging import staff_text
from shared.messaging.calls import answering
from shared.messaging.depths import queue_depths
from shared.messaging.envelope import Envelope, campaign_of, mention_of_erased
from shared.messaging.errors import BrokerUnavailableError, NotReplayableError
from shared.messaging.link import Link
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.messaging.queue_pages import cut_page
from shared.messaging.trust import Trust
from shared.messaging.untrusted import Untrusted
from shared.paging import PageRequest

_log = get_logger(__name__)

_BACK_S = 0.02
"""Seconds between two questions whether the messages are back."""

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


@dataclass
class _Look:
    """A look into the queue. `taken`: messages that go back at its end."""

    queue: AbstractQueue
    taken: int = 0


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

    async def page(self, wanted: PageRequest) -> tuple[list[Parked], str | None]:
        """Return a page of the parked messages, oldest first, and the `after` of the next one."""
        async with self._opened() as look:
            return await cut_page(self._described(look), wanted, lambda message: message.id)

    async def messages(self) -> list[Parked]:
        """Return the oldest parked messages, one page of them."""
        return (await self.page(PageRequest()))[0]

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

    async def count_about(self, campaign: CampaignId, is_erased: IsErased) -> Counter[Mention]:
        """Return the number of parked messages by what they say about erased people of the campaign."""
        async with self._held() as found:
            return Counter(_mention(message, campaign, is_erased) for message in found)

    async def purge_about(self, campaign: CampaignId, is_erased: IsErased) -> int:
        """Discard the messages about erased people and no others, and return their number."""
        async with self._held() as found:
            doomed = [one for one in found if _mention(one, campaign, is_erased) is Mention.ONLY]
            for message in doomed:
                await message.ack()
            return len(doomed)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Hold the parked messages for the caller; messages that are not acknowledged go back in place at the end."""
        async with self._opened() as look:
            found = [message async for message in self._trusted(look)]
            yield found
            look.taken -= sum(message.processed for message in found)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator["_Look"]:
        """Open the queue for one look at a time, and wait afterwards until what was taken is back."""
        async with self._looking:
            async with answering(None), self._link.side_channel() as channel:
                look = _Look(await channel.get_queue(self._queue, ensure=False))
                yield look
            await self._await_back(look.taken)

    async def _await_back(self, count: int) -> None:
        """Wait until the queue has so many messages again, or for a while; a broker that is away has put them back."""
        ends = time.monotonic() + self._timeout_s
        with contextlib.suppress(BrokerUnavailableError):
            while time.monotonic() < ends:
                if (await queue_depths(self._link, [self._queue], self._timeout_s))[self._queue] >= count:
                    return
                await asyncio.sleep(_BACK_S)

    async def _trusted(self, look: "_Look") -> AsyncIterator[AbstractIncomingMessage]:
        while message := await look.queue.get(fail=False, timeout=self._timeout_s):
            if await self._is_trusted(message):
                look.taken += 1
                yield message

    async def _described(self, look: "_Look") -> AsyncIterator[Parked]:
        async for message in self._trusted(look):
            yield self._describe(message)

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


def _mention(message: AbstractIncomingMessage, campaign: CampaignId, is_erased: IsErased) -> Mention:
    """Return whether the events of the message are about erased people of the campaign."""
    if campaign_of(message) != campaign:
        return Mention.NONE
    return join(mention_of_erased(one, is_erased) for one in Envelope.read_all(message))


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
