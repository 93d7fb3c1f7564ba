"""Applications on their way to the vault: those that come at the same time ride in one message (ADR 0015).

The event's id derives from the application's, so the vault recognises a repetition, whatever else rides with it.
"""

from collections.abc import Sequence
from typing import Protocol

from shared.batching import Together
from shared.contracts import ApplicationReceived, Event
from shared.ids import CampaignId, EventId, derived_event_id


class Publisher(Protocol):
    async def publish_all(self, events: Sequence[tuple[EventId, Event]]) -> None:
        """Returns once the broker has confirmed every one; raises TransientError otherwise. All of one campaign."""


class Handover:
    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._give_together = Together(self._give_all)

    async def give(self, application: ApplicationReceived) -> None:
        """Return once the broker has it safely; TransientError otherwise, and it may have arrived even so."""
        await self._give_together(application)

    async def _give_all(self, applications: Sequence[ApplicationReceived]) -> list[None]:
        """The same application from two requests at once is said once."""
        by_campaign: dict[CampaignId, dict[EventId, Event]] = {}
        for each in applications:
            event_id = derived_event_id(ApplicationReceived.name, each.application_id)
            by_campaign.setdefault(each.campaign, {})[event_id] = each
        for events in by_campaign.values():
            await self._publisher.publish_all(list(events.items()))
        return [None] * len(applications)
