"""What travels around an event: its id, how often it was tried, and, once parked, where it failed and how.

Every attempt is a message of its own with its own AMQP message id, because the client matches returned
messages by that id; what stays the same over all attempts is the event id in a header.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from shared.ids import EventId

EVENT_ID: Final = "kuji-event-id"
ATTEMPT: Final = "kuji-attempt"
ORIGIN: Final = "kuji-origin-queue"
ERROR: Final = "kuji-error"
PARKED_AT: Final = "kuji-parked-at"


@dataclass(frozen=True)
class Envelope:
    """`attempt` counts from 1. `event_id` is empty where a foreign message has none."""

    event_id: EventId
    name: str
    body: bytes
    attempt: int = 1

    @classmethod
    def read(cls, message: AbstractIncomingMessage) -> Self:
        """From whatever came; nothing is taken for granted."""
        attempt = message.headers.get(ATTEMPT)
        return cls(
            event_id=EventId(_text(message.headers.get(EVENT_ID))),
            name=message.type or "",
            body=message.body,
            attempt=attempt if isinstance(attempt, int) and attempt > 0 else 1,
        )

    def again(self) -> Self:
        return replace(self, attempt=self.attempt + 1)

    def afresh(self) -> Self:
        return replace(self, attempt=1)

    def message(self, further_headers: Mapping[str, str] | None = None) -> Message:
        """A persistent message with an AMQP id of its own."""
        return Message(
            self.body,
            headers={EVENT_ID: self.event_id, ATTEMPT: self.attempt, **(further_headers or {})},
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=uuid.uuid4().hex,
            timestamp=datetime.now(UTC),
            type=self.name,
        )

    def parked(self, origin: str, error: str) -> Message:
        """The copy for the parking queue. `error`: a type's name and a stable code, never a text (R-C2)."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return self.message({ORIGIN: origin, ERROR: error, PARKED_AT: at})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
