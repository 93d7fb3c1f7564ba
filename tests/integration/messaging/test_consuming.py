"""A consumer handles each event once, however often it is delivered, and loses none by its shape."""

import asyncio
from collections.abc import Sequence

import pytest
from aio_pika.abc import AbstractIncomingMessage

from shared.contracts import ApplicationReceived, ApplicationsDecided
from shared.errors import ConfigurationError
from shared.ids import EventId, new_event_id
from shared.messaging import Batch, Bus, handling
from shared.storage import Store, UnitOfWork
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import MessagingHarness, decided, received
from tests.support.service_keys import signed_body
from tests.support.waiting import await_all, until


async def vault_with(harness: MessagingHarness, witness: Witness, batch: Batch | None = None) -> tuple[Bus, Store]:
    bus = await harness.bus("vault")
    bus.consume(ApplicationReceived, witness, batch)
    return bus, await harness.store("vault")


async def test_messages_are_handled_in_batches_of_at_most_the_size_asked_for(harness: MessagingHarness) -> None:
    intake, witness = await harness.running(await harness.bus("intake")), Witness()
    events = [received() for _ in range(120)]
    await await_all(*(intake.publish(event) for event in events))

    bus, store = await vault_with(harness, witness, Batch(size=50, wait_s=0.05))
    await harness.running(bus)
    await all_marked(store, 120)

    assert max(len(call) for call in witness.calls) == 50
    assert await marks(store) == {event.application_id: 1 for event in events}


async def test_an_event_said_twice_is_handled_once(harness: MessagingHarness) -> None:
    intake, witness = await harness.running(await harness.bus("intake")), Witness()
    bus, store = await vault_with(harness, witness)
    event, event_id = received(), new_event_id()

    await await_all(*(intake.publish(event, event_id) for _ in range(5)))
    await harness.running(bus)
    await all_marked(store, 1)
    await intake.publish(event, event_id)
    last = received()
    await intake.publish(last)
    await all_marked(store, 2)

    assert await marks(store) == {event.application_id: 1, last.application_id: 1}


async def test_rival_instances_that_are_given_the_same_event_handle_it_once(harness: MessagingHarness) -> None:
    """Two processes hold copies of the same events at the same time; the inbox decides, not luck."""
    intake = await harness.running(await harness.bus("intake"))
    rivals = [Witness(), Witness()]
    events: dict[EventId, ApplicationReceived] = {new_event_id(): received() for _ in range(60)}
    for _ in range(2):
        await await_all(*(intake.publish(event, event_id) for event_id, event in events.items()))

    for rival in rivals:
        bus, store = await vault_with(harness, rival, Batch(size=20, wait_s=0.01))
        await harness.running(bus)
    await until(lambda: harness_is_quiet(harness, bus))

    assert await marks(store) == {event.application_id: 1 for event in events.values()}


async def harness_is_quiet(harness: MessagingHarness, bus: Bus) -> bool:
    store = await harness.store("vault")
    return sum((await bus.queue_depths()).values()) == 0 and len(await marks(store)) == 60


async def test_state_and_emitted_events_are_committed_in_one_transaction_or_not_at_all(
    harness: MessagingHarness,
) -> None:
    intake = await harness.bus("intake")
    consumed: list[ApplicationsDecided] = []

    async def hear(events: Sequence[ApplicationsDecided], _: UnitOfWork) -> None:
        consumed.extend(events)

    intake.consume(ApplicationsDecided, hear)
    await harness.running(intake)
    witness, bus = Witness(), await harness.bus("vault")

    async def decide(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        for event in events:
            await uow.emit(decided(event.application_id))
        await witness(events, uow)

    bus.consume(ApplicationReceived, decide)
    await harness.running(bus)
    good, bad = received(), received(key_id="permanent")
    await intake.publish(bad)
    await intake.publish(good)

    await until(lambda: consumed)
    assert [event.items[0].application_id for event in consumed] == [good.application_id]
    assert await marks(await harness.store("vault")) == {good.application_id: 1}


@pytest.mark.parametrize(
    "body",
    [b"{not json", b'{"v":1,"name":"\xe9\xab\x99"}', b"", b"{}"],
)
async def test_a_signed_message_that_breaks_its_contract_is_parked_whole_and_the_next_is_handled(
    harness: MessagingHarness, body: bytes
) -> None:
    envelope = signed_body("application.received", body, "intake")
    queue, witness = harness.names.queue("vault", "application.received"), Witness()
    bus, store = await vault_with(harness, witness)
    await harness.put(queue, envelope.message())
    good = received()
    await (await harness.running(await harness.bus("intake"))).publish(good)

    await harness.running(bus)
    await all_marked(store, 1)

    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert parked.body == envelope.body
    assert parked.headers["kuji-error"] == "ContractViolationError:malformed"
    assert parked.headers["kuji-origin-queue"] == queue
    assert parked.headers["kuji-signature"] == envelope.signature.signature
    assert await marks(store) == {good.application_id: 1}


async def test_a_service_cannot_consume_what_the_routes_do_not_give_it(harness: MessagingHarness) -> None:
    bus = await harness.bus("lottery")
    with pytest.raises(ConfigurationError, match="routes"):
        bus.consume(ApplicationReceived, Witness())


async def test_a_drain_right_behind_an_acknowledgement_leaves_no_message_with_a_delivery_counted(
    harness: MessagingHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stop at the worst moment: the broker answers the acknowledgement with messages as the cancel comes."""
    intake = await harness.running(await harness.bus("intake"))
    await await_all(*(intake.publish(received()) for _ in range(100)))
    bus, store = await vault_with(harness, Witness(), Batch(size=10, wait_s=0.01))
    drains: list[asyncio.Task[None]] = []
    acknowledge = handling.acknowledge

    async def acknowledge_and_drain(messages: Sequence[AbstractIncomingMessage]) -> None:
        await acknowledge(messages)
        drains.append(asyncio.create_task(bus.drain()))

    monkeypatch.setattr(handling, "acknowledge", acknowledge_and_drain)
    await bus.start()
    await until(lambda: drains)
    await await_all(*drains)

    left = await harness.take_all(harness.names.queue("vault", "application.received"))
    assert 10 <= len(await marks(store)) == 100 - len(left) < 100
    assert {message.headers.get("x-delivery-count", 0) for message in left} == {0}
