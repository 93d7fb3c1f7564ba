"""Parked messages name an erased person: discarded where they name nobody else, PENDING where they do."""

from collections.abc import AsyncIterator

import pytest

from shared.contracts import ApplicationsAccepted, Event
from shared.contracts.closing import PARKED
from shared.contracts.named_people import Mention
from shared.erasure import judge_parked
from shared.ids import new_event_id
from shared.messaging import Bus
from shared.messaging.envelope import Envelope
from tests.support.applicants import new_applicant
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness
from tests.support.person_harness import accepted
from tests.support.service_keys import service_key
from tests.support.slips import TOKEN
from tests.support.waiting import until
from tests.unit.shared.test_named_people import OTHER, erased, offered


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    """Declare the topology of one test on the shared broker."""
    async with MessagingHarness(amqp_url, mongo_url, namespace) as harness:
        yield harness


async def park(harness: MessagingHarness, bus: Bus, service: str, *events: tuple[str, Event]) -> None:
    """Put events of these publishers into the service's parking queue, as its handlers' failures would."""
    for publisher, event in events:
        event_id = new_event_id()
        signature = service_key(publisher).sign_event(event.name, event_id, event.to_json())
        envelope = Envelope(event_id, event.name, event.to_json(), signature=signature)
        queue = f"{harness.namespace}.{service}"
        await harness.put(f"{queue}.parked", envelope.parked(f"{queue}.{event.name}", "TestError"))

    async def are_counted() -> bool:
        return (await bus.queue_depths())[f"{service}.parked"] == len(events)

    await until(are_counted)


async def test_parked_slips_of_an_erased_person_are_discarded(harness: MessagingHarness) -> None:
    bus = await harness.bus("notifier")
    await park(harness, bus, "notifier", ("lottery", offered(TOKEN)), ("lottery", offered(OTHER)))
    assert await bus.parking.purge_about(CAMPAIGN, erased(TOKEN)) == 1
    assert await bus.parking.count_about(CAMPAIGN, erased(TOKEN)) == {Mention.NONE: 1}


async def test_a_parked_message_about_others_too_stays_and_is_pending(harness: MessagingHarness) -> None:
    gone, other = (new_applicant(CAMPAIGN) for _ in range(2))
    bus = await harness.bus("lottery")
    await park(harness, bus, "lottery", ("vault", accepted(gone, other)), ("vault", accepted(gone)))
    names = erased(gone.token)
    assert await bus.parking.purge_about(CAMPAIGN, names) == 1
    row = judge_parked(1, await bus.parking.count_about(CAMPAIGN, names))
    assert (row.store, row.before, row.after, row.residue, row.result) == (PARKED, 2, 1, 0, "PENDING")
    assert [message.event for message in await bus.parking.messages()] == [ApplicationsAccepted.name]
    assert judge_parked(0, await bus.parking.count_about(CAMPAIGN, erased("nobody"))).result == "PASS"
    assert judge_parked(0, {Mention.ONLY: 1, Mention.MIXED: 1}).result == "FAIL"
