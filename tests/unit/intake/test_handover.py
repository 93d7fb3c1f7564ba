"""Applications on their way to the vault: together where they come together, each under its own event id."""

import asyncio
from collections.abc import Sequence

import pytest

from services.intake.applications.publish import Handover
from shared.contracts import ApplicationReceived, Event
from shared.errors import TransientError
from shared.ids import ApplicationId, CampaignId, EventId, derived_event_id, new_application_id
from tests.support.message_samples import SAMPLES

SAMPLE = next(event for event in SAMPLES if isinstance(event, ApplicationReceived))


class Broker:
    """Remembers what it was told at once; refuses everything where it was told to."""

    def __init__(self, *, away: bool = False) -> None:
        self.told: list[list[tuple[EventId, Event]]] = []
        self._away = away

    async def publish_all(self, events: Sequence[tuple[EventId, Event]]) -> None:
        self.told.append(list(events))
        await asyncio.sleep(0)
        if self._away:
            raise TransientError("away")


def application(application_id: ApplicationId | None = None, campaign: str = "777-days") -> ApplicationReceived:
    changes = {"application_id": application_id or new_application_id(), "campaign": CampaignId(campaign)}
    return SAMPLE.model_copy(update=changes)


async def test_applications_that_come_together_are_said_together_each_under_an_id_of_its_own():
    broker, applications = Broker(), [application() for _ in range(20)]
    handover = Handover(broker)
    await asyncio.gather(*map(handover.give, applications))
    expected = [(derived_event_id(ApplicationReceived.name, each.application_id), each) for each in applications]
    assert broker.told == [expected]


async def test_the_same_application_from_two_requests_is_said_once():
    broker, same = Broker(), application()
    handover = Handover(broker)
    await asyncio.gather(handover.give(same), handover.give(same))
    assert [len(events) for events in broker.told] == [1]


async def test_applications_of_two_campaigns_never_share_a_message():
    broker = Broker()
    handover = Handover(broker)
    await asyncio.gather(*(handover.give(application(campaign=each)) for each in ("one", "two", "one")))
    assert [[event.campaign for _, event in events] for events in broker.told] == [["one", "one"], ["two"]]


async def test_nobody_is_told_that_the_broker_has_it_where_it_did_not_say_so():
    handover = Handover(Broker(away=True))
    outcomes = await asyncio.gather(*(handover.give(application()) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [TransientError] * 3
    with pytest.raises(TransientError):
        await handover.give(application())
