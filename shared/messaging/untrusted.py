"""Records of untrusted messages: name, size, hash and time of what no known publisher signed, never its body.

They lie in a queue of their own, because a campaign's certificate of erasure depends on the parking queue: a foreign
message must not be able to make it UNKNOWN. The count is an alarm (`/health/ready`, `./kuji status`).
"""

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.contracts import ROUTES
from shared.messaging import envelope as headers
from shared.messaging import staff_text
from shared.messaging.calls import answering
from shared.messaging.depths import queue_depths
from shared.messaging.link import Link
from shared.messaging.names import Names

SIZE: Final = "kuji-size"
SHA256: Final = "kuji-sha256"
LISTED: Final = 500

_KNOWN_NAMES: Final = frozenset(route.event.name for route in ROUTES)


@dataclass(frozen=True)
class UntrustedRecord:
    """`event`: the name that the message claimed, empty where it is no event of ours. `size`: bytes of its body."""

    event: str
    origin: str
    reason: str
    size: int
    sha256: str
    at: str


class Untrusted:
    """The records of one service. All calls raise BrokerUnavailableError where the broker does not answer."""

    def __init__(self, link: Link, names: Names, service: str, timeout_s: float) -> None:
        self.queue = names.untrusted(service)
        self._link, self._names, self._timeout_s = link, names, timeout_s

    def record(self, message: AbstractIncomingMessage, reason: str) -> Message:
        """Return the record of a message. It repeats nothing that the message says but a name that we know."""
        return Message(
            b"",
            headers={
                headers.ERROR: reason,
                headers.PARKED_AT: datetime.now(UTC).isoformat(timespec="seconds"),
                SIZE: len(message.body),
                SHA256: hashlib.sha256(message.body).hexdigest(),
            },
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=uuid.uuid4().hex,
            type=message.type if message.type in _KNOWN_NAMES else "",
        )

    async def count(self) -> int:
        """Return the number of records."""
        return (await queue_depths(self._link, [self.queue], self._timeout_s))[self.queue]

    async def records(self, limit: int = LISTED) -> list[UntrustedRecord]:
        """Return the oldest records, at most `limit`. They stay in the queue."""
        found: list[UntrustedRecord] = []
        async with self._channel() as channel:
            queue = await channel.get_queue(self.queue, ensure=False)
            while len(found) < limit and (message := await queue.get(fail=False, timeout=self._timeout_s)):
                found.append(self._describe(message))
        return found

    async def discard_all(self) -> int:
        """Remove all records, after staff have looked into them; return their number."""
        async with self._channel() as channel:
            queue = await channel.get_queue(self.queue, ensure=False)
            return (await queue.purge(timeout=self._timeout_s)).message_count or 0

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        async with answering(None), self._link.side_channel() as channel:
            yield channel

    def _describe(self, message: AbstractIncomingMessage) -> UntrustedRecord:
        """Return what the record says. Foreign messages reach this queue too, through a delay queue."""
        size = message.headers.get(SIZE)
        return UntrustedRecord(
            event=message.type if message.type in _KNOWN_NAMES else "",
            origin=self._names.plain(staff_text.queue_of(message.routing_key)),
            reason=staff_text.code_of(message.headers.get(headers.ERROR)),
            size=size if isinstance(size, int) else 0,
            sha256=staff_text.hash_of(message.headers.get(SHA256)),
            at=staff_text.time_of(message.headers.get(headers.PARKED_AT)),
        )
