"""Headers around an event: its id, its attempt, its signature, and in the parking queue where and how it failed.

Every attempt is a message of its own with its own AMQP message id, because the client matches returned
messages by that id; what stays the same over all attempts is the event id in a header.

Several events may ride in one message, a bundle: a line of the body and an id of the header for each. Where it
arrives it is taken apart at once, so that every event keeps its own inbox line, its own retries and its own fate.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage, HeadersType
from pydantic_core import from_json

from shared.contracts import ROUTES
from shared.contracts.named_people import IsErased, Mention, find_mention
from shared.ids import EventId
from shared.service_keys import EventSignature

EVENT_ID: Final = "kuji-event-id"
EVENT_IDS: Final = "kuji-event-ids"
"""Of a bundle, in the order of its lines; it has no EVENT_ID."""
ATTEMPT: Final = "kuji-attempt"
PUBLISHER: Final = "kuji-publisher"
KEY: Final = "kuji-key"
SIGNATURE: Final = "kuji-signature"
"""Of a bundle it is a list in the order of EVENT_IDS; publisher and key are one for the bundle."""
ORIGIN: Final = "kuji-origin-queue"
ERROR: Final = "kuji-error"
PARKED_AT: Final = "kuji-parked-at"

_ABOUT_ERASURE: Final = frozenset(route.event.name for route in ROUTES if route.event.is_about_erasure)
_NAMES_ERASED: Final = frozenset(route.event.name for route in ROUTES if route.event.names_erased_people)

BUNDLE_EVENTS: Final = 50
BUNDLE_BYTES: Final = 256 * 1024
"""A bundle ends before either is exceeded; an event that is larger travels alone. Keeps a prefetched window small."""


@dataclass(frozen=True)
class Envelope:
    """Event with its headers. `attempt` counts from 1. A foreign message may lack `event_id` and `signature`."""

    event_id: EventId
    name: str
    body: bytes
    attempt: int = 1
    signature: EventSignature | None = None

    @classmethod
    def read(cls, message: AbstractIncomingMessage) -> Self:
        """Read a message that may be foreign: every header may be absent or of another type."""
        attempt = message.headers.get(ATTEMPT)
        return cls(
            event_id=EventId(_text(message.headers.get(EVENT_ID))),
            name=message.type or "",
            body=message.body,
            attempt=attempt if isinstance(attempt, int) and attempt > 0 else 1,
            signature=_signature(message.headers, message.headers.get(SIGNATURE)),
        )

    @classmethod
    def read_all(cls, message: AbstractIncomingMessage) -> tuple[Self, ...]:
        """Return the events of a bundle, or the one event of the message.

        A bundle whose ids, signatures and lines differ in number reads as one event without an id.
        """
        whole, headers = cls.read(message), message.headers
        ids, signatures, lines = headers.get(EVENT_IDS), headers.get(SIGNATURE), message.body.split(b"\n")
        if (
            not isinstance(ids, list)
            or not isinstance(signatures, list)
            or not len(ids) == len(signatures) == len(lines)
        ):
            return (whole,)
        return tuple(
            replace(whole, event_id=EventId(_text(event_id)), body=line, signature=_signature(headers, signature))
            for event_id, signature, line in zip(ids, signatures, lines, strict=True)
        )

    def again(self) -> Self:
        return replace(self, attempt=self.attempt + 1)

    def afresh(self) -> Self:
        return replace(self, attempt=1)

    def message(self, further_headers: Mapping[str, str] | None = None) -> Message:
        """Return a persistent message with an AMQP id of its own; it keeps the publisher's signature."""
        headers: HeadersType = {EVENT_ID: self.event_id, ATTEMPT: self.attempt, **(further_headers or {})}
        if self.signature is not None:
            headers |= _signed_by(self.signature) | {SIGNATURE: self.signature.signature}
        return _message(self.name, self.body, "application/json", headers)

    def parked(self, origin: str, error: str) -> Message:
        """Return the copy for the parking queue. `error`: a type's name and a stable code, never a text (R-C2)."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return self.message({ORIGIN: origin, ERROR: error, PARKED_AT: at})


def campaign_of(message: AbstractIncomingMessage) -> str | None:
    """Return the campaign that the message names, None if none can be read. Events of a bundle share one campaign.

    Events of the erasure itself count as of no campaign: they are consumed after it, too.
    """
    return erasable_campaign(Envelope.read_all(message)[0])


def erasable_campaign(envelope: Envelope) -> str | None:
    """Return the campaign with whose erasure the event ends; None for the erasure's own events and unreadable ones."""
    if envelope.name in _ABOUT_ERASURE:
        return None
    try:
        event = from_json(envelope.body)  # `json` exhausts the stack over arrays nested without end
    except ValueError:
        return None
    campaign = event.get("campaign") if isinstance(event, dict) else None
    return campaign if isinstance(campaign, str) else None


def mention_of_erased(envelope: Envelope, is_erased: IsErased) -> Mention:
    """Return whether the event is about erased people; NONE where it may name them, or is unreadable."""
    if envelope.name in _NAMES_ERASED:
        return Mention.NONE
    try:
        return find_mention(from_json(envelope.body), is_erased)
    except ValueError:
        return Mention.NONE


def bundles(envelopes: Sequence[Envelope]) -> Iterator[Message]:
    """Yield first attempts of events of one name, in as few messages as the limits of a bundle allow.

    A bundle has one key: events that were signed before and after a rotation travel apart.
    """
    waiting: list[Envelope] = []
    size = 0
    for envelope in envelopes:
        full = len(waiting) == BUNDLE_EVENTS or size + len(envelope.body) > BUNDLE_BYTES
        if waiting and (full or _key_of(envelope) != _key_of(waiting[0])):
            yield _bundle(waiting)
            waiting, size = [], 0
        waiting.append(envelope)
        size += len(envelope.body)
    if waiting:
        yield _bundle(waiting)


def _bundle(envelopes: Sequence[Envelope]) -> Message:
    """Join the events by line feeds: JSON without blanks holds none."""
    if len(envelopes) == 1:
        return envelopes[0].message()
    headers: HeadersType = {EVENT_IDS: [envelope.event_id for envelope in envelopes], ATTEMPT: 1}
    signatures = [envelope.signature for envelope in envelopes if envelope.signature is not None]
    if len(signatures) == len(envelopes):
        headers |= _signed_by(signatures[0]) | {SIGNATURE: [signed.signature for signed in signatures]}
    body = b"\n".join(envelope.body for envelope in envelopes)
    return _message(envelopes[0].name, body, "application/x-ndjson", headers)


def _message(name: str, body: bytes, content_type: str, headers: HeadersType) -> Message:
    return Message(
        body,
        headers=headers,
        content_type=content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=uuid.uuid4().hex,
        timestamp=datetime.now(UTC),
        type=name,
    )


def _signed_by(signed: EventSignature) -> HeadersType:
    return {PUBLISHER: signed.publisher, KEY: signed.key}


def _signature(headers: HeadersType, signature: Any) -> EventSignature | None:
    publisher, key = headers.get(PUBLISHER), headers.get(KEY)
    if not (isinstance(publisher, str) and isinstance(key, str) and isinstance(signature, str)):
        return None
    return EventSignature(publisher, key, signature)


def _key_of(envelope: Envelope) -> str | None:
    return None if envelope.signature is None else envelope.signature.key


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
