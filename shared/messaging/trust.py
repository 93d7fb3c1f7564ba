"""Trust in a message: who signed it, and whether the routes let this publisher publish this event to this queue."""

import re
from collections.abc import Sequence
from typing import Final

from aio_pika.abc import AbstractIncomingMessage

from shared.contracts import ROUTES
from shared.messaging.envelope import Envelope
from shared.service_keys import PublicKeys

_COPIES: Final = ("CC", "BCC")
"""Headers with which a publisher routes a message past its topic permissions. The broker removes BCC itself."""

_EVENT_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A UUID: no other text of a foreign message reaches a log or a page of the staff."""


class Trust:
    """Judges messages before they are parsed, for the queues of one service."""

    def __init__(self, keys: PublicKeys, service: str) -> None:
        self._keys = keys
        self._publishers = {
            route.event.name: frozenset(route.publishers) for route in ROUTES if service in route.consumers
        }

    def mistrust(self, message: AbstractIncomingMessage, envelopes: Sequence[Envelope], name: str) -> str | None:
        """Return the code of the reason for which the message is not a signed event `name`; None if it is one.

        `envelopes` are the events of the message. One that fails makes the whole message fail: its publisher signed
        either all of them or none.
        """
        if any(header in message.headers for header in _COPIES):
            return "copied"
        return next((code for envelope in envelopes if (code := self._of_event(envelope, name)) is not None), None)

    def mistrust_parked(self, message: AbstractIncomingMessage, envelopes: Sequence[Envelope]) -> str | None:
        """Judge a parked message by the event that it claims to be; its queue no longer shows that."""
        return self.mistrust(message, envelopes, envelopes[0].name)

    def _of_event(self, envelope: Envelope, name: str) -> str | None:
        signed = envelope.signature
        if signed is None:
            return "unsigned"
        if envelope.name != name:
            return "other-event"
        if signed.publisher not in self._publishers.get(name, frozenset()):
            return "foreign-publisher"
        if _EVENT_ID.fullmatch(envelope.event_id) is None:
            return "malformed-id"
        return None if self._keys.verify_event(signed, name, envelope.event_id, envelope.body) else "wrong-signature"
