"""Several events in one message, on the real broker: each has its own inbox line, its own retries, its own fate."""

from collections import Counter

from shared.contracts import ApplicationReceived
from shared.ids import EventId, new_event_id
from shared.messaging import Batch, Bus
from shared.messaging.envelope import BUNDLE_EVENTS, ORIGIN, bundles
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, event_ids, received
from tests.support.service_keys import signed, signed_body
from tests.support.waiting import until

Said = list[tuple[EventId, ApplicationReceived]]


def some(count: int, key_id: str = "k1") -> Said:
    return [(new_event_id(), received(key_id=key_id)) for _ in range(count)]


def once(said: Said) -> Counter[str]:
    return Counter(event.application_id for _, event in said)


async def vault_with(harness: MessagingHarness, witness: Witness, batch: Batch | None = None) -> Bus:
    vault = await harness.bus("vault")
    vault.consume(ApplicationReceived, witness, batch)
    return await harness.running(vault)


async def test_bundled_events_are_few_messages_and_each_is_handled_once_in_any_later_bundle(
    harness: MessagingHarness,
) -> None:
    intake, said = await harness.bus("intake"), some(2 * BUNDLE_EVENTS)
    await intake.publish_all(said)
    vault = await harness.bus("vault")
    assert (await vault.queue_depths())["vault.application.received"] == 2
    await intake.publish_all([*said[7:], *said[:3]])
    await intake.publish(said[5][1], said[5][0])

    vault.consume(ApplicationReceived, Witness(), Batch(size=500))
    await harness.running(vault)
    await all_marked(await harness.store("vault"), len(said))
    await vault.drain()
    assert (await vault.queue_depths())["vault.application.received"] == 0
    assert await marks(await harness.store("vault")) == once(said)


async def test_a_transaction_holds_no_more_events_than_the_consumer_asked_for(harness: MessagingHarness) -> None:
    intake, witness, said = await harness.bus("intake"), Witness(), some(2 * BUNDLE_EVENTS)
    await intake.publish_all(said)
    await vault_with(harness, witness, Batch(size=15))
    await all_marked(await harness.store("vault"), len(said))
    assert max(len(call) for call in witness.calls) == 15


async def test_one_bad_event_is_parked_alone_and_costs_its_bundle_nothing(harness: MessagingHarness) -> None:
    intake, witness = await harness.bus("intake"), Witness()
    good, bad = some(20), some(1, "permanent")
    await intake.publish_all([*good[:9], *bad, *good[9:]])
    vault = await vault_with(harness, witness)
    await all_marked(await harness.store("vault"), len(good))
    await until(lambda: _has_parked(vault, 1))

    assert await marks(await harness.store("vault")) == once(good)
    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert event_ids([parked]) == [bad[0][0]]
    assert ApplicationReceived.model_validate_json(parked.body) == bad[0][1]
    assert (await vault.queue_depths())["vault.application.received"] == 0


async def test_one_event_that_needs_another_try_gets_it_alone(harness: MessagingHarness) -> None:
    intake, witness = await harness.bus("intake"), Witness()
    good, bad = some(6), some(1, "transient")
    await intake.publish_all([*good, *bad])
    await vault_with(harness, witness)
    await until(lambda: witness.attempts(bad[0][1].application_id) >= 4)
    assert await marks(await harness.store("vault")) == once(good)


async def test_a_line_that_is_no_event_is_parked_alone(harness: MessagingHarness) -> None:
    said = some(3)
    envelopes = [signed(event, event_id) for event_id, event in said]
    envelopes[1] = signed_body("application.received", b'{"v":1}', "intake", said[1][0])
    [message] = bundles(envelopes)
    await harness.put(harness.names.queue("vault", ApplicationReceived), message)
    vault = await vault_with(harness, Witness())
    await until(lambda: _has_parked(vault, 1))
    await all_marked(await harness.store("vault"), 2)
    (parked,) = await harness.take_all(harness.names.parked("vault"))
    assert event_ids([parked]) == [said[1][0]]
    assert parked.headers["kuji-error"] == "ContractViolationError:malformed"


async def test_a_parked_bundle_goes_back_event_by_event(harness: MessagingHarness) -> None:
    """Check that the broker parks a whole message after too many consumers died with it."""
    said, vault = some(4), await vault_with(harness, Witness())
    await _park_whole(harness, said)
    [parked] = await vault.parking.messages()
    assert await vault.parking.replay(parked.id)
    await all_marked(await harness.store("vault"), len(said))
    assert await marks(await harness.store("vault")) == once(said)
    assert await vault.parking.messages() == []


async def test_a_parked_bundle_is_erased_with_its_campaign(harness: MessagingHarness) -> None:
    vault = await harness.bus("vault")
    await _park_whole(harness, some(4))
    assert await vault.purge_campaign(CAMPAIGN) == 1
    assert await vault.parking.messages() == []


async def _park_whole(harness: MessagingHarness, said: Said) -> None:
    [message] = bundles([signed(event, event_id) for event_id, event in said])
    message.headers[ORIGIN] = harness.names.queue("vault", ApplicationReceived)
    await harness.put(harness.names.parked("vault"), message)


async def _has_parked(vault: Bus, count: int) -> bool:
    return (await vault.queue_depths())["vault.parked"] == count
