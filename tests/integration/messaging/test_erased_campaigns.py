"""An erased campaign's events: dropped and counted wherever they arrive, and counted while they are on their way."""

import asyncio
from collections.abc import Sequence

from shared.contracts import ApplicationReceived, ApplicationsDecided
from shared.errors import TransientError
from shared.ids import CampaignId, new_application_id
from shared.messaging import Bus, Handler
from shared.storage import INBOX, OUTBOX, PERSON_TOMBSTONES, Store, UnitOfWork
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, decided, received
from tests.support.waiting import until

OTHER = CampaignId("another")


async def erase(store: Store, campaign: CampaignId = CAMPAIGN) -> None:
    """Set the campaign's tombstone."""
    await store.transact(lambda uow: uow.tombstones.put(campaign, "erasure-1", "0" * 64, uow.session))


async def one_dropped(store: Store) -> bool:
    tombstone = await store.tombstones.find(CAMPAIGN)
    return tombstone is not None and tombstone.dropped == 1


async def consuming(harness: MessagingHarness, handler: Handler[ApplicationReceived]) -> Bus:
    """Start the vault's bus with this handler."""
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, handler)
    return await harness.running(vault)


async def delayed(bus: Bus, count: int) -> bool:
    """Return True if so many messages wait in the delay queues."""
    return sum((await bus.delay_depths()).values()) == count


async def test_an_event_of_an_erased_campaign_reaches_no_handler_and_is_counted(harness: MessagingHarness) -> None:
    handled: list[ApplicationReceived] = []

    async def handle(events: Sequence[ApplicationReceived], _: UnitOfWork) -> None:
        handled.extend(events)

    store, intake = await harness.store("vault"), await harness.bus("intake")
    await consuming(harness, handle)
    await erase(store)
    await intake.publish(received())
    await intake.publish(received(campaign=OTHER))
    await until(lambda: len(handled) == 1)
    assert handled[0].campaign == OTHER
    await until(lambda: one_dropped(store))
    assert await store.db[INBOX].count_documents({"campaign": CAMPAIGN}) == 0


async def test_an_event_that_comes_back_from_a_delay_queue_is_dropped(harness: MessagingHarness) -> None:
    tried: list[str] = []

    async def fail(_: Sequence[ApplicationReceived], __: UnitOfWork) -> None:
        tried.append("once")
        raise TransientError("try again")

    store, intake = await harness.store("vault"), await harness.bus("intake")
    vault = await consuming(harness, fail)
    await intake.publish(received())
    await until(lambda: delayed(vault, 1))
    await erase(store)
    await until(lambda: one_dropped(store))
    assert await delayed(vault, 0)
    assert len(tried) == 1


async def test_nothing_of_an_erased_campaign_is_published(harness: MessagingHarness) -> None:
    store = await harness.store("vault")
    await erase(store)

    async def emit_both(uow: UnitOfWork) -> None:
        await uow.emit(decided(new_application_id()))
        await uow.emit(decided(new_application_id()).model_copy(update={"campaign": OTHER}))

    await store.transact(emit_both)
    lines = [ApplicationsDecided.model_validate_json(line["body"]) async for line in store.db[OUTBOX].find()]
    assert [line.campaign for line in lines] == [OTHER]
    assert await one_dropped(store)


async def test_a_message_in_a_handler_counts_as_unacknowledged_until_it_is_handled(harness: MessagingHarness) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def wait(_: Sequence[ApplicationReceived], __: UnitOfWork) -> None:
        begun.set()
        await may_end.wait()

    intake = await harness.bus("intake")
    vault = await consuming(harness, wait)
    await intake.publish(received())
    await begun.wait()
    assert (vault.unacknowledged(CAMPAIGN), vault.unacknowledged(OTHER)) == (1, 0)
    may_end.set()
    await until(lambda: vault.unacknowledged(CAMPAIGN) == 0)


async def test_a_service_that_replays_an_erased_persons_event_reaches_no_handler(harness: MessagingHarness) -> None:
    """Attack: intake, with its own key and broker account, publishes the application again after the tombstone."""
    handled: list[ApplicationReceived] = []

    async def handle(events: Sequence[ApplicationReceived], _: UnitOfWork) -> None:
        handled.extend(events)

    store, intake = await harness.store("vault"), await harness.bus("intake")
    vault = await consuming(harness, handle)
    gone, other = received(), received()
    names = [gone.application_id]
    await store.transact(lambda uow: uow.erased_people.put(CAMPAIGN, "person-1", names, uow.session))
    await intake.publish(gone)
    await intake.publish(other)
    await until(lambda: len(handled) == 1)
    assert handled == [other]

    async def dropped() -> bool:
        return await store.db[PERSON_TOMBSTONES].count_documents({"_id": "person-1", "dropped": 1}) == 1

    await until(dropped)
    assert await vault.parking.messages() == []
