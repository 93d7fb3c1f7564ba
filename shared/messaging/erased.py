"""Keep events of erased campaigns out of handlers and of other queues (docs/protocols.md §5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from shared.contracts.base import Event
from shared.ids import EventId
from shared.logging import get_logger
from shared.messaging.envelope import Envelope, erasable_campaign
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class ErasedCampaigns:
    """The tombstones of the service that consumes `queue`."""

    store: Store
    queue: str

    async def without(self, events: Mapping[EventId, E], uow: UnitOfWork) -> dict[EventId, E]:
        """Drop and count events of campaigns that have a tombstone; return the others."""
        named = {key: event.erasable_campaign for key, event in events.items()}
        erased = await uow.tombstones.erased_among(filter(None, named.values()), uow.session)
        dropped = [campaign for campaign in named.values() if campaign in erased]
        if dropped:
            await uow.tombstones.count_dropped(filter(None, dropped), uow.session)
            self._log_dropped(len(dropped))
        return {key: event for key, event in events.items() if named[key] not in erased}

    async def drops(self, envelope: Envelope) -> bool:
        """Return True, and count the event, if its campaign was erased: no copy of it may go to another queue.

        Raises StoreUnavailableError or the driver's error if the tombstones cannot be read.
        """
        campaign = erasable_campaign(envelope)
        if campaign is None or not await self.store.tombstones.erased_among([campaign]):
            return False
        await self.store.tombstones.count_dropped([campaign])
        self._log_dropped(1)
        return True

    def _log_dropped(self, count: int) -> None:
        _log.warning("erased-campaign-dropped", queue=self.queue, count=count)
