"""What a consumer promises: each event handled once, whatever is delivered how often; nothing lost by its shape."""

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
from tests.support.messaging_harness import House, decided, received, until
from tests.support.service_keys import signed_body


async def vault_with(house: House, witness: Witness, batch: Batch | None = None) -> tuple[Bus, Store]:
    bus = await house.bus("vault")
    bus.consume(ApplicationReceived, witness, batch)
    return bus, await house.store("vault")


async def test_messages_are_handled_in_batches_of_at_most_the_size_asked_for(house: House) -> None:
    intake, witness = await house.running(await house.bus("intake")), Witness()
    events = [received() for _ in range(120)]
    await asyncio.gather(*(intake.publish(event) for event in events))

    bus, store = await vault_with(house, witness, Batch(size=50, wait_s=0.05))
    await house.running(bus)
    await all_marked(store, 120)

    assert max(len(call) for call in witness.calls) == 50
    assert await marks(store) == {event.application_id: 1 for event in events}


async def test_an_event_said_twice_is_handled_once(house: House) -> None:
    intake, witness = await house.running(await house.bus("intake")), Witness()
    bus, store = await vault_with(house, witness)
    event, event_id = received(), new_event_id()

    await asyncio.gather(*(intake.publish(event, event_id) for _ in range(5)))
    await house.running(bus)
    await all_marked(store, 1)
    await intake.publish(event, event_id)
    last = received()
    await intake.publish(last)
    await all_marked(store, 2)

    assert await marks(store) == {event.application_id: 1, last.application_id: 1}


async def test_rival_instances_that_are_given_the_same_event_handle_it_once(house: House) -> None:
    """Two processes hold copies of the same events at the same time; the inbox decides, not luck."""
    intake = await house.running(await house.bus("intake"))
    rivals = [Witness(), Witness()]
    events: dict[EventId, ApplicationReceived] = {new_event_id(): received() for _ in range(60)}
    for _ in range(2):
        await asyncio.gather(*(intake.publish(event, event_id) for event_id, event in events.items()))

    for rival in rivals:
        bus, store = await vault_with(house, rival, Batch(size=20, wait_s=0.01))
        await house.running(bus)
    await until(lambda: house_is_quiet(house, bus))

    assert await marks(store) == {event.application_id: 1 for event in events.values()}


async def house_is_quiet(house: House, bus: Bus) -> bool:
    store = await house.store("vault")
    return sum((await bus.queue_depths()).values()) == 0 and len(await marks(store)) == 60


async def test_state_and_emitted_events_are_committed_together_or_not_at_all(house: House) -> None:
    intake = await house.bus("intake")
    heard: list[ApplicationsDecided] = []

    async def hear(events: Sequence[ApplicationsDecided], _: UnitOfWork) -> None:
        heard.extend(events)

    intake.consume(ApplicationsDecided, hear)
    await house.running(intake)
    witness, bus = Witness(), await house.bus("vault")

    async def decide(events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        for event in events:
            await uow.emit(decided(event.application_id))
        await witness(events, uow)

    bus.consume(ApplicationReceived, decide)
    await house.running(bus)
    good, bad = received(), received(key_id="permanent")
    await intake.publish(bad)
    await intake.publish(good)

    await until(lambda: heard)
    assert [event.items[0].application_id for event in heard] == [good.application_id]
    assert await marks(await house.store("vault")) == {good.application_id: 1}


@pytest.mark.parametrize(
    "body",
    [b"{not json", b'{"v":1,"name":"\xe9\xab\x99"}', b"", b"{}"],
)
async def test_a_signed_message_that_breaks_its_contract_is_parked_whole_and_the_next_is_handled(
    house: House, body: bytes
) -> None:
    envelope = signed_body("application.received", body, "intake")
    queue, witness = house.names.queue("vault", "application.received"), Witness()
    bus, store = await vault_with(house, witness)
    await house.put(queue, envelope.message())
    good = received()
    await (await house.running(await house.bus("intake"))).publish(good)

    await house.running(bus)
    await all_marked(store, 1)

    (parked,) = await house.take_all(house.names.parked("vault"))
    assert parked.body == envelope.body
    assert parked.headers["kuji-error"] == "ContractViolationError:malformed"
    assert parked.headers["kuji-origin-queue"] == queue
    assert parked.headers["kuji-signature"] == envelope.signature.signature
    assert await marks(store) == {good.application_id: 1}


async def test_a_service_cannot_consume_what_the_routes_do_not_give_it(house: House) -> None:
    bus = await house.bus("lottery")
    with pytest.raises(ConfigurationError, match="routes"):
        bus.consume(ApplicationReceived, Witness())


async def test_a_drain_right_behind_an_acknowledgement_leaves_no_message_with_a_delivery_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment: the broker is about to answer the acknowledgement with messages when the cancel comes."""
    intake = await house.running(await house.bus("intake"))
    await asyncio.gather(*(intake.publish(received()) for _ in range(100)))
    bus, store = await vault_with(house, Witness(), Batch(size=10, wait_s=0.01))
    drains: list[asyncio.Task[None]] = []
    acknowledge = handling._acknowledge

    async def acknowledge_and_drain(messages: Sequence[AbstractIncomingMessage]) -> None:
        await acknowledge(messages)
        drains.append(asyncio.create_task(bus.drain()))

    monkeypatch.setattr(handling, "_acknowledge", acknowledge_and_drain)
    await bus.start()
    await until(lambda: drains)
    await asyncio.gather(*drains)

    left = await house.take_all(house.names.queue("vault", "application.received"))
    assert 10 <= len(await marks(store)) == 100 - len(left) < 100
    assert {message.headers.get("x-delivery-count", 0) for message in left} == {0}
