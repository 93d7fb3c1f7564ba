"""One service's part in an erasure: tombstone first, then deletion, two signed answers, each given once."""

from pathlib import Path

import pytest

from deploy.demo.rehearsal import SAMPLE, rehearsal_of
from services.notifier.collections import CONTACTS, PERSONAL
from shared.campaign import load_campaigns
from shared.contracts.closing import OWN_STORES
from shared.erasure import ANSWER_CONTEXT, refuse_erased_ids, signed_document
from shared.errors import ConfigurationError, PermanentError
from shared.ids import EventId
from tests.support.erasure_harness import ERASURE, ParticipantHarness, answer_keys


async def plant(notifier: ParticipantHarness, name: str = CONTACTS) -> None:
    """Put a document of the campaign into a collection, whatever its rule says."""
    document = {"campaign": notifier.campaign.id}
    await notifier.store.db.command({"insert": name, "documents": [document], "bypassDocumentValidation": True})


async def test_the_tombstone_is_set_and_the_stores_are_empty_when_the_first_answer_is_published(
    notifier: ParticipantHarness,
) -> None:
    await plant(notifier)
    await notifier.ask()
    await notifier.work()
    (answer,) = await notifier.published()
    tombstone = await notifier.store.tombstones.find(notifier.campaign.id)
    assert tombstone is not None
    assert (answer.phase, answer.tombstone) == ("erased", tombstone.at)
    counted = {row.store: (row.before, row.after, row.result) for row in answer.stores}
    assert counted[CONTACTS] == (1, 0, "PASS")
    assert set(counted) == {*PERSONAL, *OWN_STORES}


async def test_an_answer_is_signed_by_its_own_service_only(notifier: ParticipantHarness) -> None:
    (answer, _) = await notifier.answers()
    assert answer_keys().verify_document(ANSWER_CONTEXT, signed_document(answer), "notifier")
    assert not answer_keys().verify_document(ANSWER_CONTEXT, signed_document(answer), "lottery")
    changed = answer.model_copy(update={"dropped": 7})
    assert not answer_keys().verify_document(ANSWER_CONTEXT, signed_document(changed), "notifier")


async def test_an_answer_that_is_asked_for_again_is_repeated_byte_for_byte(notifier: ParticipantHarness) -> None:
    first, second = await notifier.answers()
    await plant(notifier)
    await notifier.ask("measured")
    await notifier.ask("erased")
    await notifier.work()
    assert [answer.to_json() for answer in (await notifier.published())[2:]] == [second.to_json(), first.to_json()]


async def test_nothing_is_deleted_while_a_message_from_before_the_tombstone_is_in_hand(
    notifier: ParticipantHarness,
) -> None:
    await plant(notifier)
    notifier.queues.in_hand = 1
    await notifier.ask()
    await notifier.work()
    assert await notifier.store.tombstones.find(notifier.campaign.id)
    assert await notifier.published() == []
    notifier.queues.in_hand = 0
    await notifier.work()
    assert len(await notifier.published()) == 1


@pytest.mark.parametrize("store", PERSONAL)
async def test_a_document_that_appears_after_the_deletion_fails_the_measurement(
    notifier: ParticipantHarness, store: str
) -> None:
    await notifier.ask()
    await notifier.work()
    await plant(notifier, store)
    await notifier.ask("measured")
    await notifier.work()
    measured = (await notifier.published())[1]
    assert [(row.store, row.residue) for row in measured.stores if row.result != "PASS"] == [(store, 1)]


async def test_idempotency_records_and_unpublished_events_are_deleted(notifier: ParticipantHarness) -> None:
    campaign = notifier.campaign.id
    await notifier.store.transact(
        lambda uow: notifier.store.inbox.record("notifier.x", {EventId("e-1"): campaign}, uow.session)
    )
    answer, _ = await notifier.answers()
    assert {row.store: row.before for row in answer.stores}["inbox"] == 1
    assert await notifier.store.db["inbox"].count_documents({"campaign": campaign}) == 0


async def test_parked_messages_are_discarded_and_counted(notifier: ParticipantHarness) -> None:
    notifier.queues.parked_now = 3
    _, measured = await notifier.answers()
    assert {row.store: (row.before, row.after) for row in measured.stores}["parked"] == (3, 0)


async def test_a_second_erasure_of_the_same_campaign_is_refused(notifier: ParticipantHarness) -> None:
    await notifier.answers()
    with pytest.raises(PermanentError, match="another erasure id"):
        await notifier.ask("erased", "erasure-2")


async def test_a_new_campaign_with_the_id_of_an_erased_one_does_not_load(notifier: ParticipantHarness) -> None:
    await notifier.answers()
    await refuse_erased_ids(notifier.store, [notifier.campaign])
    with pytest.raises(ConfigurationError, match="give the new campaign another id"):
        await refuse_erased_ids(notifier.store, [notifier.campaign.model_copy(update={"sha256": "1" * 64})])


async def test_after_an_erasure_the_service_starts_with_the_next_rehearsal_beside_the_erased_one(
    notifier: ParticipantHarness, tmp_path: Path
) -> None:
    first = rehearsal_of(SAMPLE, tmp_path)
    await notifier.store.transact(lambda uow: uow.tombstones.put(first.id, ERASURE, first.sha256, uow.session))
    second = rehearsal_of(SAMPLE, tmp_path, number=2)
    await refuse_erased_ids(notifier.store, load_campaigns(tmp_path).values())
    assert second.id == f"{first.id}-2"
    (tmp_path / SAMPLE.name).write_text((tmp_path / SAMPLE.name).read_text("utf-8") + "# changed\n", "utf-8")
    with pytest.raises(ConfigurationError, match="give the new campaign another id"):
        await refuse_erased_ids(notifier.store, load_campaigns(tmp_path).values())
