"""An erasure that was ordered is carried out once, whatever dies, comes back from a copy, or is clicked twice."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.backup import databases
from services.vault.applications import pair_repository, subject_request_repository
from services.vault.applications import repository as register
from services.vault.applications.index_repository import COLLECTION as BLOCKS
from services.vault.applications.matching import COPY
from services.vault.applications.readings import NameReadings
from services.vault.applications.search import DuplicateSearch
from services.vault.applications.verdicts import VerdictWriter
from services.vault.audit import AuditEvent, AuditLog
from services.vault.deliveries.repository import COLLECTION as DELIVERIES
from services.vault.identities.repository import COLLECTION as IDENTITIES
from services.vault.keys.erased_people import ErasedPerson, add_erased_person, list_erased_people
from services.vault.papers.repository import COLLECTION as PAPERS
from services.vault.people.rules.account import StaffId
from services.vault.person_erasure.order import PersonErasureOrders, PersonErasureRefusedError
from services.vault.person_erasure.rules.certificate import verify_person_certificate
from shared.erasure import PERSON_ERASURES
from shared.ids import CampaignId, Receipt
from shared.storage import OUTBOX, PERSON_TOMBSTONES, hash_name
from tests.integration.vault.test_subject_requests import REGISTER
from tests.support.person_erasures import OTHERS, announcement, answer, answered, asked, granted, order, shared_paper
from tests.support.telephone_harness import TelephoneDesk
from tests.support.vault_parts import CAMPAIGN, Known


async def test_what_was_ordered_before_a_crash_can_be_ordered_again(desk: TelephoneDesk, people: list[Known]):
    gone = people[0]
    handler, _, one = await granted(desk, gone)
    assert await order(handler, one, gone.receipt) == 303
    store, known = desk.staff.store, list_erased_people(desk.staff.keystore.folder)
    assert known == [ErasedPerson(CAMPAIGN, f"person-{one}", gone.receipt, one, "mori-01", "yamada-01")]
    for name in (PERSON_TOMBSTONES, PERSON_ERASURES, OUTBOX):  # as if the process had died behind the line
        await store.db[name].delete_many({})
    assert await order(handler, one, gone.receipt) == 303
    assert list_erased_people(desk.staff.keystore.folder) == known
    assert [each.erasure_id for each in await asked(store)] == [f"person-{one}"]


async def test_two_clicks_at_once_are_one_erasure(desk: TelephoneDesk, people: list[Known]):
    handler, _, one = await granted(desk, people[0])
    assert await asyncio.gather(*(order(handler, one, people[0].receipt) for _ in range(4))) == [303] * 4
    store = desk.staff.store
    assert await store.db[PERSON_ERASURES].count_documents({}) == 1
    assert len(await asked(store)) == 1
    assert len(list_erased_people(desk.staff.keystore.folder)) == 1


async def test_an_application_that_goes_away_meanwhile_is_not_written_back(
    desk: TelephoneDesk, people: list[Known], tmp_path: Path
):
    gone, store = people[0], desk.staff.store
    _, _, one = await granted(desk, gone)
    handling, staff = await desk.staff.people.accounts.find(StaffId("yamada-01")), desk.staff
    assert handling is not None

    class LosingLog(AuditLog):
        """Lets the application go away between the order's check and its transaction."""

        async def record(self, lines: Sequence[AuditEvent]) -> None:
            await super().record(lines)
            await store.db[register.COLLECTION].delete_one({"_id": gone.application_id})

    losing = LosingLog(store, staff.keystore.signing, staff.clock, tmp_path / "other-checkpoints")
    verdicts = VerdictWriter(store, DuplicateSearch(store, staff.keystore, staff.audit, NameReadings().of))
    orders = PersonErasureOrders(store, staff.keystore, losing, desk.register.campaigns, verdicts, staff.clock)
    with pytest.raises(PersonErasureRefusedError, match="unknown"):
        await orders.order(handling.account, one, gone.receipt)
    assert await store.db[register.COLLECTION].count_documents({"receipt": gone.receipt}) == 0
    assert await asked(store) == []


async def test_a_restored_copy_is_erased_by_the_rules_of_every_erasure(
    desk: TelephoneDesk, people: list[Known], mongo_url: str, tmp_path: Path
):
    gone, other = people
    store, archive, keys = desk.staff.store, tmp_path / "data-1", desk.register.keys
    content = (await store.db[register.COLLECTION].find_one({"_id": gone.application_id}) or {})["keys"][COPY]
    await store.db[DELIVERIES].insert_one(announcement(gone, other))
    await store.db[PAPERS].insert_one(shared_paper(keys, gone, other))
    await store.db[BLOCKS].insert_one(
        {"_id": "block", "campaign": CAMPAIGN, "kind": "name", "contents": [content, "other"], "changes": 1}
    )
    handler, ward, one = await granted(desk, gone)
    await asyncio.to_thread(databases.dump, mongo_url, [store.db.name], archive)
    assert await order(handler, one, gone.receipt) == 303
    await desk.erasing.carry_out(desk.register.campaign)

    for name in await store.db.list_collection_names():
        await store.db[name].delete_many({})
    await asyncio.to_thread(databases.load, mongo_url, archive, [])
    assert await store.db[IDENTITIES].count_documents({}) == 2, "the vault erases by its own rules"
    await desk.erasing.repeat_restored()
    assert [row["_id"] async for row in store.db[IDENTITIES].find()] == [other.token]
    assert [row["tokens"] async for row in store.db[DELIVERIES].find()] == [[other.token]]
    assert [row["application_ids"] async for row in store.db[PAPERS].find()] == [[other.application_id]]
    assert [row["contents"] async for row in store.db[BLOCKS].find({"_id": "block"})] == [["other"]]
    assert await store.db[pair_repository.COLLECTION].count_documents({"contents": content}) == 0
    assert [row["_id"] async for row in store.db[subject_request_repository.COLLECTION].find()] == [one]
    await desk.erasing.repeat_restored()
    [request] = await asked(store)
    assert request.receipt == gone.receipt

    await desk.erasing.carry_out(desk.register.campaign)
    await answered(desk, *(answer(service, request.erasure_id) for service in OTHERS))
    content_bytes = (await ward.get(f"{REGISTER}/{one}/certificate.json")).raise_for_status().content
    assert all(check.passed for check in verify_person_certificate(content_bytes, desk.staff.keystore.signing.public))
    document = json.loads(content_bytes)
    assert (document["verdict"], document["decided_by"]) == ("PENDING", "mori-01")
    assert {row["store"]: row["before"] for row in document["services"] if row["service"] == "vault"}["identities"] == 1
    assert 'data-state="done"' in (await ward.get(REGISTER)).text


async def test_a_receipt_that_the_copy_does_not_know_is_kept_out_and_asked_of_the_others(desk: TelephoneDesk):
    folder, receipt, store = desk.staff.keystore.folder, Receipt("F-7K3M-9Q2P-6"), desk.staff.store
    add_erased_person(folder, ErasedPerson(CAMPAIGN, "person-1", receipt))
    add_erased_person(folder, ErasedPerson(CampaignId("of-another-office"), "person-2", receipt))
    for _ in range(2):
        await desk.erasing.repeat_restored()
    [request] = await asked(store)
    assert (request.receipt, request.channel, request.version) == (receipt, "fax", 1)
    [tombstone] = await store.db[PERSON_TOMBSTONES].find().to_list(None)
    assert tombstone["names"] == [hash_name(CAMPAIGN, receipt)]
    await desk.erasing.carry_out(desk.register.campaign)
    await answered(desk, *(answer(service, "person-1") for service in OTHERS))
    [record] = await store.db[PERSON_ERASURES].find().to_list(None)
    assert (record["stage"], record["verdict"]) == ("certified", "PASS")
