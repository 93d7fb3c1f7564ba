"""Applications that arrive together share a message, each under its own event id."""

import asyncio
from collections.abc import Sequence

import pytest

from services.intake.applications.publish import ApplicationPublisher
from shared.contracts import ApplicationReceived, Event
from shared.errors import TransientError
from shared.ids import ApplicationId, CampaignId, EventId, derived_event_id, new_application_id
from tests.support.message_samples import SAMPLES

SAMPLE = next(event for event in SAMPLES if isinstance(event, ApplicationReceived))


class Broker:
    """Record each call; raise TransientError if `away`."""

    def __init__(self, *, away: bool = False) -> None:
        self.published: list[list[tuple[EventId, Event]]] = []
        self._away = away

    async def publish_all(self, events: Sequence[tuple[EventId, Event]]) -> None:
        self.published.append(list(events))
        await asyncio.sleep(0)
        if self._away:
            raise TransientError("away")


def application(application_id: ApplicationId | None = None, campaign: str = "777-days") -> ApplicationReceived:
    changes = {"application_id": application_id or new_application_id(), "campaign": CampaignId(campaign)}
    return SAMPLE.model_copy(update=changes)


async def test_applications_that_arrive_at_once_are_published_in_one_message_each_under_its_own_id():
    broker, applications = Broker(), [application() for _ in range(20)]
    publisher = ApplicationPublisher(broker)
    await asyncio.gather(*map(publisher.publish, applications))
    expected = [(derived_event_id(ApplicationReceived.name, each.application_id, "1"), each) for each in applications]
    assert broker.published == [expected]


async def test_the_same_application_from_two_requests_is_published_once():
    broker, same = Broker(), application()
    publisher = ApplicationPublisher(broker)
    await asyncio.gather(publisher.publish(same), publisher.publish(same))
    assert [len(events) for events in broker.published] == [1]


async def test_applications_of_two_campaigns_never_share_a_message():
    broker = Broker()
    publisher = ApplicationPublisher(broker)
    await asyncio.gather(*(publisher.publish(application(campaign=each)) for each in ("one", "two", "one")))
    assert [[event.campaign for _, event in events] for events in broker.published] == [["one", "one"], ["two"]]


async def test_each_caller_gets_an_error_where_the_broker_does_not_confirm():
    publisher = ApplicationPublisher(Broker(away=True))
    outcomes = await asyncio.gather(*(publisher.publish(application()) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [TransientError] * 3
    with pytest.raises(TransientError):
        await publisher.publish(application())
