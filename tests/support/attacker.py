"""An attacker who took over one service: its broker user and its private key, nothing of any other service."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import aio_pika
from aio_pika import Message
from aio_pika.abc import AbstractChannel

from shared.ids import new_event_id
from shared.messaging.envelope import Envelope
from shared.messaging.names import Names
from shared.service_keys import EventSignature, ServiceKey


@dataclass(frozen=True)
class Attacker:
    service: str
    channel: AbstractChannel
    key: ServiceKey

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, keys: Path, service: str) -> AsyncIterator[Self]:
        async with await aio_pika.connect(url, timeout=10) as connection, connection.channel() as channel:
            yield cls(service, channel, ServiceKey(keys, service))

    async def publish(self, allowed: str, messages: Sequence[Message], copies: dict[str, list[str]]) -> None:
        """Publish under an event name that the broker allows, with copies to other names (CC, BCC)."""
        exchange = await self.channel.get_exchange(Names().events, ensure=False)
        for message in messages:
            message.headers |= copies
            await exchange.publish(message, allowed, timeout=5)

    async def wait_and_publish(self, own_queue: str, messages: Sequence[Message], copies: dict[str, list[str]]) -> None:
        """Publish into a delay queue: when the time is over, the broker routes the copies past all permissions."""
        exchange = await self.channel.get_exchange(Names().delay_queue(1), ensure=False)
        for message in messages:
            message.headers |= copies
            await exchange.publish(message, own_queue, timeout=5)

    def forgeries(self, name: str, body: bytes, victim: str, own_name: str) -> list[Message]:
        """Return every kind of message that says `name` in the name of `victim`, made with the attacker's key alone."""
        event_id = new_event_id()
        bare = Envelope(event_id, name, body)
        own = self.key.sign_event(name, event_id, body)
        as_own_event = self.key.sign_event(own_name, event_id, body)
        signatures = [
            None,
            own,
            as_own_event,
            replace(own, publisher=victim),
            replace(as_own_event, publisher=victim),
            EventSignature(victim, "0" * 16, own.signature),
        ]
        return [
            *(replace(bare, signature=signature).message() for signature in signatures),
            replace(bare, name=own_name, signature=as_own_event).message(),
            Message(body, type=name, message_id=uuid.uuid4().hex),
        ]

    async def has_records(self, service: str, count: int) -> bool:
        """Return True if the service set `count` messages aside (a passive declare needs no right)."""
        queue = await self.channel.declare_queue(Names().untrusted(service), passive=True)
        return (queue.declaration_result.message_count or 0) >= count
