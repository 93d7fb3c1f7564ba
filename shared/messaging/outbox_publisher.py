"""Outbox publisher: publishes committed events, many in flight, and removes those that the broker confirmed."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.logging import describe, get_logger
from shared.messaging.envelope import Envelope
from shared.messaging.errors import BrokerUnavailableError
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.storage import OutboxEntry, Store

_log = get_logger(__name__)


@dataclass(frozen=True)
class OutboxPace:
    """Pace of the publisher. `window`: publishes in flight. `lease_s`: lease of entries, above a publish timeout.

    `poll_s`: interval of looking without a notification, for rows of a process that died.
    """

    window: int = 256
    lease_s: float = 15.0
    poll_s: float = 1.0


class OutboxPublisher:
    def __init__(self, store: Store, publisher: Publisher, names: Names, pace: OutboxPace) -> None:
        self._store, self._publisher, self._names, self._pace = store, publisher, names, pace
        self._id = uuid.uuid4().hex
        self._notified = asyncio.Event()
        self._finishing = False

    def notify(self) -> None:
        """Publish soon: a transaction has committed events."""
        self._notified.set()

    def finish(self) -> None:
        """Let `run` end once nothing is left, or nothing gets through any more."""
        self._finishing = True
        self._notified.set()

    async def run(self) -> None:
        while True:
            self._notified.clear()
            if await self._try_window():
                continue
            if self._finishing:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll_s):
                    await self._notified.wait()

    async def _try_window(self) -> bool:
        """Publish one window; return True if all was confirmed and there may be more."""
        try:
            return await self._window()
        except Exception as error:  # noqa: BLE001  (the publisher's loop: what is committed must leave, whatever broke)
            _log.warning("outbox-waits", **describe(error))
            return False

    async def _window(self) -> bool:
        entries = await self._store.outbox.claim(self._id, self._pace.window, self._pace.lease_s)
        if not entries:
            return False
        confirmed = await asyncio.gather(*(self._publish(entry) for entry in entries))
        sent = [entry for entry, done in zip(entries, confirmed, strict=True) if done]
        kept = [entry for entry, done in zip(entries, confirmed, strict=True) if not done]
        if sent:
            await self._store.outbox.remove(sent)
        if kept:
            await self._give_back(kept)
        return not kept

    async def _give_back(self, kept: Sequence[OutboxEntry]) -> None:
        _log.warning("outbox-waits", count=len(kept), event_name=kept[0].name)
        await self._store.outbox.give_back(kept)

    async def _publish(self, entry: OutboxEntry) -> bool:
        if entry.signature is None:  # every consumer would refuse it; see `Store.sign_events_with`
            _log.error("outbox-unsigned", event_name=entry.name)
            return False
        envelope = Envelope(entry.event_id, entry.name, entry.body, signature=entry.signature)
        try:
            await self._publisher.publish(self._names.events, entry.name, envelope.message())
        except BrokerUnavailableError:
            return False
        return True
