"""The outbox relay: publishes what transactions have committed, many in flight, and forgets it once confirmed."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shared.logging import describe, get_logger
from shared.messaging.envelope import Envelope
from shared.messaging.errors import BrokerUnavailable
from shared.messaging.names import Names
from shared.messaging.publisher import Publisher
from shared.storage import OutboxEntry, Store

_log = get_logger(__name__)


@dataclass(frozen=True)
class RelayPace:
    """`window`: publishes in flight. `lease_s`: how long entries are lent, well over a publish timeout.

    `poll_s`: how often to look without being poked, for what a process that died has left.
    """

    window: int = 256
    lease_s: float = 15.0
    poll_s: float = 1.0


class OutboxRelay:
    def __init__(self, store: Store, publisher: Publisher, names: Names, pace: RelayPace) -> None:
        self._store, self._publisher, self._names, self._pace = store, publisher, names, pace
        self._id = uuid.uuid4().hex
        self._poked = asyncio.Event()
        self._finishing = False

    def poke(self) -> None:
        """Something was committed."""
        self._poked.set()

    def finish(self) -> None:
        """Let `run` end once nothing is left, or nothing gets through any more."""
        self._finishing = True
        self._poked.set()

    async def run(self) -> None:
        while True:
            self._poked.clear()
            if await self._try_window():
                continue
            if self._finishing:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll_s):
                    await self._poked.wait()

    async def _try_window(self) -> bool:
        """One window; whether it got through and there may be more."""
        try:
            return await self._window()
        except Exception as error:  # noqa: BLE001  (the relay's loop: what is committed must leave, whatever broke)
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
        except BrokerUnavailable:
            return False
        return True
