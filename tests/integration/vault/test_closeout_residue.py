"""A record of the campaign is planted in each store of the vault in turn: no verdict is PASS while it is there."""

import pytest

from services.vault.closeout.measuring import ERASED
from services.vault.closeout.rules.required_stores import DELAY_QUEUES, PACKAGES, REQUIRED_STORES, SAMPLES
from services.vault.closeout.rules.stages import Stage
from services.vault.identities import repository as identities
from shared.contracts.closing import DELIVERIES, PARKED, PERSON_ERASURES, QUEUES
from shared.storage import INBOX, OUTBOX
from tests.support.closeout_harness import CloseOutOffice

COLLECTIONS = (*ERASED, INBOX, OUTBOX)
ELSEWHERE = {SAMPLES, PARKED, DELIVERIES, QUEUES, DELAY_QUEUES, PERSON_ERASURES}
FOLDERS = tuple(sorted(REQUIRED_STORES["vault"] - {*COLLECTIONS, *ELSEWHERE}))


async def plant_document(office: CloseOutOffice, collection: str, **members: object) -> None:
    """Put a document of the campaign into a collection, whatever its rule says."""
    documents = [{"campaign": office.vault.campaign.id, **members}]
    insert = {"insert": collection, "documents": documents, "bypassDocumentValidation": True}
    await office.vault.store.db.command(insert)


async def plant(office: CloseOutOffice, store: str) -> None:
    """Put one record of the campaign into the store."""
    if store in COLLECTIONS:
        await plant_document(office, store)
    elif store == PERSON_ERASURES:
        await plant_document(office, store, names={"token": "tok_left"})
    elif store in FOLDERS:
        folder = office.folders.folders[store] / office.vault.campaign.id / "deeper"
        folder.mkdir(parents=True)
        (folder / "page.pdf").write_bytes(b"x")
    elif store == PARKED:
        office.queues.parked_now, office.queues.is_stuck = 1, True
    elif store == DELIVERIES:
        office.queues.in_hand = 1
    elif store == QUEUES:
        office.queues.inlets["vault.print.requested"] = 1
    else:
        office.queues.delays["kuji.wait.60s"] = 1


PLANTABLE = sorted(REQUIRED_STORES["vault"] - {SAMPLES})


@pytest.mark.parametrize("store", PLANTABLE)
async def test_a_record_that_is_there_at_the_measurement_prevents_the_pass(office: CloseOutOffice, store: str) -> None:
    await ordered(office)
    while (await office.stage()) is not Stage.SILENCED:
        await office.one_step()
    await plant(office, store)
    await office.carry_out()
    if store == DELAY_QUEUES:
        assert await office.stage() is Stage.SILENCED
        await office.limited(answers_s=0.001).carry_out()
    certificate = await office.certificate()
    results = {row["store"]: row["result"] for row in certificate["services"] if row["service"] == "vault"}  # type: ignore[attr-defined]
    assert certificate["verdict"] in {"FAIL", "UNKNOWN"}
    assert [name for name, result in results.items() if result != "PASS"] == [store]


@pytest.mark.parametrize(
    "store", sorted(set(PLANTABLE) - {QUEUES, DELAY_QUEUES, DELIVERIES, PARKED, PACKAGES, identities.COLLECTION})
)
async def test_a_record_that_was_there_before_the_deletion_is_deleted(office: CloseOutOffice, store: str) -> None:
    await ordered(office)
    await plant(office, store)
    await office.carry_out()
    certificate = await office.certificate()
    assert certificate["verdict"] == "PASS"
    counted = {row["store"]: row["before"] for row in certificate["services"] if row["service"] == "vault"}  # type: ignore[attr-defined]
    assert counted[store] >= 1


async def test_the_deletion_waits_for_messages_from_before_the_tombstone(office: CloseOutOffice) -> None:
    await ordered(office)
    office.queues.in_hand = 1
    await office.carry_out()
    assert await office.stage() is Stage.DESTROYED
    office.queues.in_hand = 0
    await office.carry_out()
    assert (await office.certificate())["verdict"] == "PASS"


async def ordered(office: CloseOutOffice) -> None:
    """Order an erasure that the other services have answered already."""
    await office.give_back()
    await office.order()
    await office.answer("intake", "lottery", "notifier")
