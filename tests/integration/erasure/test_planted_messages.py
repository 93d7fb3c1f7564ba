"""A message of the campaign is planted in each queue of the real broker in turn: no PASS while it is there.

The list of queues is the topology's. `untrusted` queues are left out: they hold name, size, hash and time, no body.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aio_pika import Message

from services.vault.closeout.delay_queues import DelayQueueWatch, judge_delay_queues
from services.vault.closeout.rules.certificate import worst
from shared.contracts import ROUTES, SERVICES, StoreErasure
from shared.contracts.closing import PARKED, QUEUES
from shared.erasure import counting, judge_messages
from shared.ids import CampaignId, new_event_id
from shared.messaging import Bus
from shared.messaging.envelope import Envelope
from shared.messaging.topology import describe
from tests.support.messaging_harness import CAMPAIGN, DELAYS_S, MessagingHarness
from tests.support.service_keys import service_key
from tests.support.waiting import until

OTHER = CampaignId("another")
EVENTS = {f"{service}.{route.event.name}": route.event.name for route in ROUTES for service in route.consumers}
ABOUT_ERASURE = {route.event.name for route in ROUTES if route.event.is_about_erasure}
PUBLISHERS = {route.event.name: route.publishers[0] for route in ROUTES}


@pytest.fixture
async def harness(
    amqp_url: str, mongo_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MessagingHarness]:
    """Declare the topology of one test on the shared broker; look at queues that stay full in quick succession."""
    monkeypatch.setattr(counting, "_BETWEEN_LOOKS_S", 0.01)
    async with MessagingHarness(amqp_url, mongo_url, namespace) as harness:
        yield harness


def own_queues(harness: MessagingHarness, service: str) -> list[str]:
    """Return the names, without namespace, of the service's queues that can hold a message of a campaign."""
    named = [harness.names.plain(queue.name) for queue in describe(harness.namespace, DELAYS_S).queues]
    return [name for name in named if name.startswith(f"{service}.") and not name.endswith(".untrusted")]


def erasable_queue(service: str) -> str:
    """Return a queue of the service whose events end with their campaign's erasure."""
    return next(
        queue for queue, event in EVENTS.items() if queue.startswith(f"{service}.") and event not in ABOUT_ERASURE
    )


def message_for(harness: MessagingHarness, queue: str, campaign: CampaignId = CAMPAIGN) -> Message:
    """Return a message for the queue, signed by its publisher, as a handler's failure would park or delay it."""
    name, event_id, body = EVENTS[queue], new_event_id(), json.dumps({"campaign": campaign}).encode()
    signature = service_key(PUBLISHERS[name]).sign_event(name, event_id, body)
    return Envelope(event_id, name, body, signature=signature).parked(f"{harness.namespace}.{queue}", "TestError")


async def plant(harness: MessagingHarness, bus: Bus, queue: str, campaign: CampaignId = CAMPAIGN) -> None:
    """Put one message of the campaign into the queue and wait until the broker counts it."""
    service, _, kind = queue.partition(".")
    origin = erasable_queue(service) if kind == "parked" else queue
    await harness.put(f"{harness.namespace}.{queue}", message_for(harness, origin, campaign))

    async def is_counted() -> bool:
        return (await bus.queue_depths())[queue] == 1

    await until(is_counted)


def results_of(rows: list[StoreErasure]) -> dict[str, str]:
    """Return the result of each row."""
    return {row.store: row.result for row in rows}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_message_in_any_queue_of_a_service_prevents_the_pass(harness: MessagingHarness, service: str) -> None:
    bus = await harness.bus(service)
    inlets = [queue for queue in own_queues(harness, service) if queue != f"{service}.parked"]
    assert set(inlets) == set(await bus.inlet_depths()), "the service does not look at all of its queues"
    for queue in inlets:
        await plant(harness, bus, queue)
        results = results_of(await judge_messages(bus, CAMPAIGN, 0))
        assert [store for store, result in results.items() if result != "PASS"] == [QUEUES], queue
        await harness.take_all(f"{harness.namespace}.{queue}")
    assert worst(row.result for row in await judge_messages(bus, CAMPAIGN, 0)) == "PASS"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_parked_message_fails_the_measurement_until_it_is_discarded(
    harness: MessagingHarness, service: str
) -> None:
    bus = await harness.bus(service)
    await plant(harness, bus, f"{service}.parked")
    results = results_of(await judge_messages(bus, CAMPAIGN, 0))
    assert [store for store, result in results.items() if result != "PASS"] == [PARKED]
    assert results_of(await judge_messages(bus, OTHER, 0))[PARKED] == "PASS"
    assert await bus.purge_campaign(OTHER) == 0
    assert await bus.purge_campaign(CAMPAIGN) == 1
    assert worst(row.result for row in await judge_messages(bus, CAMPAIGN, 1)) == "PASS"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("delay_s", DELAYS_S)
async def test_a_message_in_a_delay_queue_holds_the_verdict_and_is_counted_when_it_comes_back(
    harness: MessagingHarness, service: str, delay_s: int
) -> None:
    vault, bus = await harness.bus("vault"), await harness.bus(service)
    returns_to = erasable_queue(service)
    watch = DelayQueueWatch(vault, max(DELAYS_S), give_up_s=60)
    assert set(await vault.delay_depths()) == {f"kuji.wait.{each}s" for each in DELAYS_S}
    silenced_at = datetime.now(UTC)
    async with harness.channel() as channel:
        exchange = await channel.get_exchange(harness.names.delay_queue(delay_s))
        await exchange.publish(message_for(harness, returns_to), f"{harness.namespace}.{returns_to}")
        drain = await watch.look(silenced_at, None, silenced_at)
    back = (await bus.inlet_depths())[returns_to]
    assert back or judge_delay_queues(drained=drain.ended).result == "UNKNOWN"

    async def is_back() -> bool:
        return (await bus.inlet_depths())[returns_to] == 1

    await until(is_back)
    assert results_of(await judge_messages(bus, CAMPAIGN, 0))[QUEUES] == "UNKNOWN"
