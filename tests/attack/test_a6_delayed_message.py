"""Attack a6: a message waits in a delay queue while its campaign is erased, and comes back afterwards."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from services.notifier import handlers
from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS, CONTACTS
from services.notifier.erasure import NotifierStores
from services.vault.closeout.delay_queues import DelayQueueWatch
from shared.campaign import load_campaign
from shared.contracts import ContactsRegistered, ErasureRequested
from shared.erasure import ErasureParticipant, ErasureRepository
from shared.erasure import collections as erasure_collections
from shared.errors import TransientError
from shared.storage import Store, UnitOfWork
from tests.support.message_samples import SAMPLES
from tests.support.messaging_harness import MessagingHarness
from tests.support.service_keys import service_key
from tests.support.vault_parts import SAMPLE
from tests.support.waiting import until

DELAY_S = 6
CONTACTS_EVENT = next(event for event in SAMPLES if isinstance(event, ContactsRegistered))


class FailsOnce:
    """The notifier's handler of contacts; its first call fails as on a day when its database is slow."""

    def __init__(self) -> None:
        self.calls = 0

    async def handle(self, events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
        self.calls += 1
        if self.calls == 1:
            raise TransientError("slow")
        await handlers.on_contacts(events, uow)


@pytest.fixture
async def harness(amqp_url: str, mongo_url: str, namespace: str) -> AsyncIterator[MessagingHarness]:
    """Declare delay queues that hold a message until the erasure has begun, also on a busy machine."""
    async with MessagingHarness(amqp_url, mongo_url, namespace, delays_s=(DELAY_S,)) as harness:
        yield harness


async def test_a_message_that_comes_back_after_the_erasure_is_not_stored_and_is_waited_for(
    harness: MessagingHarness,
) -> None:
    """On commit 684719a the certificate said PASS, and 66 s later the notifier stored the message again."""
    campaign, store, handler = load_campaign(SAMPLE), await harness.store("notifier"), FailsOnce()
    await store.ensure([*COLLECTIONS, *erasure_collections()])
    await ApplicantRepository(store.db).ensure_locks([campaign.id])
    bus = await harness.bus("notifier")
    participant = ErasureParticipant("notifier", store, NotifierStores(store), bus, service_key("notifier"))
    bus.consume(ContactsRegistered, handler.handle)
    await harness.running(bus)
    await (await harness.bus("vault")).publish(CONTACTS_EVENT.model_copy(update={"campaign": campaign.id}))
    await until(lambda: _delayed(harness))
    await _ask(store, participant, "erased")
    await participant.carry_out(campaign)
    silenced_at = datetime.now(UTC)
    watch = DelayQueueWatch(bus, DELAY_S, give_up_s=60)
    first = await watch.look(silenced_at, None, silenced_at)
    assert first.ended is None, "the verdict does not wait for the delay queue"

    async def drained() -> bool:
        return (await watch.look(silenced_at, first.empty, datetime.now(UTC))).ended is True

    await until(drained)
    assert await store.db[CONTACTS].count_documents({}) == 0
    assert handler.calls == 1
    await _ask(store, participant, "measured")
    await participant.carry_out(campaign)
    record = await ErasureRepository(store).find(campaign.id)
    assert record is not None
    tombstone = await store.tombstones.find(campaign.id)
    assert tombstone is not None
    assert tombstone.dropped == 1
    assert '"FAIL"' not in record.answers["measured"]
    assert '"UNKNOWN"' not in record.answers["measured"]


async def _delayed(harness: MessagingHarness) -> bool:
    depths = await (await harness.bus("vault")).delay_depths()
    return any(depths.values())


async def _ask(store: Store, participant: ErasureParticipant, phase: str) -> None:
    campaign = load_campaign(SAMPLE).id
    event = ErasureRequested.model_validate({"campaign": campaign, "erasure_id": "erasure-1", "phase": phase})
    await store.transact(lambda uow: participant.on_requested([event], uow))
