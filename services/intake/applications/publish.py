"""Publish applications to the vault; those that arrive at the same time share one message (ADR 0015).

The event id derives from application id and version, so the vault recognises a repetition in any message.
"""

from collections.abc import Sequence
from typing import Protocol

from shared.batching import Batcher
from shared.contracts import ApplicationReceived, Event
from shared.ids import CampaignId, EventId, derived_event_id


class Publisher(Protocol):
    """Part of the bus that publishes events."""

    async def publish_all(self, events: Sequence[tuple[EventId, Event]]) -> None:
        """Publish events of one campaign; return after the broker has confirmed each. Raises TransientError."""


class ApplicationPublisher:
    """Publish applications in batches."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._publish = Batcher(self._publish_all)

    async def publish(self, application: ApplicationReceived) -> None:
        """Return after the broker has confirmed. Raises TransientError; the message may have arrived even so."""
        await self._publish(application)

    async def _publish_all(self, applications: Sequence[ApplicationReceived]) -> list[None]:
        """Publish each application once, also if two requests brought it at the same time."""
        by_campaign: dict[CampaignId, dict[EventId, Event]] = {}
        for application in applications:
            by_campaign.setdefault(application.campaign, {})[event_id_of(application)] = application
        for events in by_campaign.values():
            await self._publisher.publish_all(list(events.items()))
        return [None] * len(applications)


def event_id_of(application: ApplicationReceived) -> EventId:
    """Return the id of the event, the same for each repetition of one version."""
    return derived_event_id(ApplicationReceived.name, application.application_id, str(application.version))
