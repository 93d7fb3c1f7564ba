"""Keep events of erased campaigns and people out of handlers and of other queues (docs/protocols.md §5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from shared.contracts.base import Event
from shared.contracts.named_people import Mention, without_people
from shared.ids import EventId
from shared.logging import get_logger
from shared.messaging.envelope import Envelope, erasable_campaign, mention_of_erased
from shared.storage import Store, UnitOfWork, people_filter

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
        return await self._without_people({key: one for key, one in events.items() if named[key] not in erased}, uow)

    async def _without_people(self, events: Mapping[EventId, E], uow: UnitOfWork) -> dict[EventId, E]:
        """Leave people who have a tombstone out of the events; drop those about nobody else.

        An event whose handler counts erased people reaches it whole.
        """
        campaigns = {event.erasable_campaign or "" for event in events.values()}
        erased = await uow.erased_people.of_campaigns(campaigns, uow.session)
        if not erased:
            return dict(events)
        kept, dropped = dict[EventId, E](), list[str]()
        for key, event in events.items():
            if event.counts_erased_people:
                kept[key] = event
                continue
            campaign = event.erasable_campaign or ""
            left = without_people(event, people_filter(campaign, erased.get(campaign, {}), dropped))
            if left is not None:
                kept[key] = left
        if dropped:
            await uow.erased_people.count_dropped(dropped, uow.session)
            _log.warning("erased-person-dropped", queue=self.queue, count=len(dropped))
        return kept

    async def drops(self, envelope: Envelope) -> bool:
        """Return True, and count the event, if its campaign was erased: no copy of it may go to another queue.

        Raises StoreUnavailableError or the driver's error if the tombstones cannot be read.
        """
        campaign = erasable_campaign(envelope)
        if campaign is not None and await self._is_about_erased_person(envelope, campaign):
            return True
        if campaign is None or not await self.store.tombstones.erased_among([campaign]):
            return False
        await self.store.tombstones.count_dropped([campaign])
        self._log_dropped(1)
        return True

    async def _is_about_erased_person(self, envelope: Envelope, campaign: str) -> bool:
        """Return True if the event names erased people and no other: its copy would bring their data back."""
        erased = (await self.store.erased_people.of_campaigns([campaign])).get(campaign)
        if not erased:
            return False
        dropped: list[str] = []
        is_erased = people_filter(campaign, erased, dropped)
        if mention_of_erased(envelope, is_erased) is not Mention.ONLY:
            return False
        await self.store.erased_people.count_dropped(dropped[:1])
        _log.warning("erased-person-dropped", queue=self.queue, count=1)
        return True

    def _log_dropped(self, count: int) -> None:
        _log.warning("erased-campaign-dropped", queue=self.queue, count=count)
