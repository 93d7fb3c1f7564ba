"""Close-out on a real database and real keys: erasure, measurement, certificate."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest

from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.rules.certificate import verify_certificate
from services.vault.closeout.rules.required_stores import OTHER_SERVICES
from services.vault.closeout.rules.stages import ERASING, Stage
from services.vault.identities import repository as identities
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.approvals import ApprovalRefusedError
from shared.contracts import ErasureRequested
from shared.erasure import PERSON_ERASURES
from tests.support.closeout_harness import HANDLER, PEOPLE, CloseOutOffice
from tests.support.people_harness import DAY
from tests.support.waiting import await_all


def compressed(file: Path, data: bytes) -> None:
    with gzip.open(file.with_suffix(".log.gz"), "wb") as stream:
        stream.write(data)


async def test_after_the_erasure_nothing_is_left_and_nothing_opens(office: CloseOutOffice) -> None:
    known = await office.vault.admit(PEOPLE)
    saved = await office.vault.store.db[identities.COLLECTION].find_one({"_id": known[0].token})
    assert saved is not None
    await office.give_back()
    certificate = await office.erase()
    assert certificate["verdict"] == "PASS"
    assert await office.left() == 0
    assert not any(office.folders.counts(office.vault.campaign.id).values())
    await office.vault.store.db[identities.COLLECTION].insert_one(saved)
    with pytest.raises(KeyDestroyedError):
        office.vault.keystore.campaign(office.vault.campaign.id)
    assert await office.vault.identities.reveal([known[0].token], purpose="erasure", actor="a", case="c") == {}


async def test_the_other_services_are_notified_once(office: CloseOutOffice) -> None:
    await office.give_back()
    for _ in range(2):
        await office.orders.order(office.vault.campaign, office.gate.new(), HANDLER)
    assert len(await office.vault.said(ErasureRequested)) == 1


async def test_the_certificate_can_be_checked_with_the_published_key_alone(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.erase()
    record = await office.record()
    public = office.vault.keystore.signing.public
    assert all(check.passed for check in verify_certificate(record.certificate, public))
    assert not any(person.name.encode() in record.certificate for person in PEOPLE)


async def test_the_page_carries_the_signed_bytes_and_shows_the_verdict(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.erase()
    record = await office.record()
    with pypdfium2.PdfDocument(record.page) as document:
        assert len(document) == 1
        assert document.count_attachments() == 1
        attached = bytes(document.get_attachment(0).get_data())
        text = "".join(document[0].get_textpage().get_text_range().split())
    assert attached == record.certificate
    assert "消去証明書" in text
    assert "すべて消去したことを確認しました" in text


async def test_a_service_that_does_not_answer_is_unknown_and_decides_the_verdict(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.order()
    await office.answer("intake", "lottery")
    await office.carry_out()
    assert await office.stage() is Stage.EMPTIED
    await office.limited(answers_s=0.001).carry_out()
    certificate = await office.certificate()
    assert certificate["verdict"] == "UNKNOWN"
    silent = [row for row in certificate["services"] if row["service"] == "notifier"]
    assert silent == [
        {"service": "notifier", "store": "all", "before": None, "after": None, "residue": None, "result": "UNKNOWN"}
    ]


async def test_a_record_that_another_service_has_left_fails_the_whole(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.order()
    await office.answer("intake", "lottery")
    await office.answer("notifier", left={"notices": 3})
    await office.carry_out()
    assert (await office.certificate())["verdict"] == "FAIL"


@pytest.mark.parametrize("write", [Path.write_bytes, compressed])
async def test_a_person_in_a_log_fails_the_erasure(
    office: CloseOutOffice, write: Callable[[Path, bytes], object]
) -> None:
    await office.vault.admit(PEOPLE)
    write(office.log.with_name("old.log"), json.dumps({"oops": "髙﨑 花子"}).encode())
    await office.give_back()
    certificate = await office.erase()
    assert certificate["verdict"] == "FAIL"
    assert certificate["logs"]["hits"] == 1


async def test_logs_that_nobody_named_are_unknown(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    blind = LogSearch(office.vault.store, office.vault.identities, [])
    await office.give_back()
    certificate = await replace(office, erasure=replace(office.erasure, logs=blind)).erase()
    assert certificate["logs"]["result"] == certificate["verdict"] == "UNKNOWN"


async def test_a_package_in_the_folder_of_another_vault_process_is_unknown(office: CloseOutOffice) -> None:
    await office.give_back()
    office.folders.remove(office.vault.campaign.id)
    certificate = await office.erase()
    assert certificate["verdict"] == "UNKNOWN"


async def test_a_document_that_escapes_the_deletion_is_found(office: CloseOutOffice) -> None:
    (known,) = await office.vault.admit(PEOPLE[:1])
    saved = await office.vault.store.db[identities.COLLECTION].find_one({"_id": known.token})
    assert saved is not None
    await office.give_back()
    await office.order()
    await office.answer(*OTHER_SERVICES)
    for _ in (Stage.REQUESTED, Stage.SCANNED, Stage.DESTROYED):
        await office.one_step()
    await office.vault.store.db[identities.COLLECTION].insert_one(saved)
    await office.carry_out()
    assert (await office.certificate())["verdict"] == "FAIL"


async def test_erasure_waits_for_the_wards_confirmation(office: CloseOutOffice) -> None:
    await office.make()
    with pytest.raises(CloseOutRefusedError, match="return-not-confirmed"):
        await office.order()


async def test_the_erasure_of_one_person_comes_first_and_leaves_no_name(office: CloseOutOffice) -> None:
    await office.give_back()
    erasures = office.vault.store.db[PERSON_ERASURES]
    names = {
        "receipt": "W-7K3M-9Q2P-6",
        "application_id": "a",
        "token": "t",
        "entry": None,
        "content": None,
        "papers": [],
    }
    under_way = {"campaign": office.vault.campaign.id, "started_at": DAY, "names": names}
    await erasures.insert_one({"_id": "person-r-1", "stage": "emptied", **under_way})
    with pytest.raises(CloseOutRefusedError, match="person-erasure-under-way"):
        await office.order()
    assert await office.stage() is Stage.CONFIRMED
    await erasures.update_one({}, {"$set": {"verdict": "FAIL"}})
    certificate = await office.erase()
    assert certificate["verdict"] == "PASS"
    assert {row["before"] for row in certificate["services"] if row["store"] == PERSON_ERASURES} == {1, 3}
    assert await erasures.count_documents({"names": {"$exists": True}}) == 0


async def test_an_approval_that_was_used_erases_nothing(office: CloseOutOffice) -> None:
    await office.give_back()
    with pytest.raises(ApprovalRefusedError, match="used"):
        await office.orders.order(office.vault.campaign, next(iter(office.gate.executed)), HANDLER)
    assert await office.stage() is Stage.CONFIRMED


async def test_an_approval_names_the_confirmed_package_and_the_number_of_applications(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    package = await office.give_back()
    await office.order()
    act = list(office.gate.executed.values())[-1]
    assert act.params == {"package_sha256": hashlib.sha256(package).hexdigest(), "applications": len(PEOPLE)}
    order = (await office.record()).order
    assert order is not None
    assert vars(order.approval) == {
        "requested_by": HANDLER, "approved_by": "responsible-1+ward-1", "responsible": "responsible-1",
    }  # fmt: skip


async def test_before_the_close_out_date_a_reason_is_needed(office: CloseOutOffice) -> None:
    await office.give_back()
    office.vault.clock.at = office.vault.campaign.close_out - timedelta(seconds=1)
    with pytest.raises(CloseOutRefusedError, match="before-close-out"):
        await office.order()
    office.gate.reason = "event-cancelled"
    await office.order()
    assert await office.stage() is Stage.REQUESTED
    assert "event-cancelled" in await office.vault.audited()


async def test_a_retry_that_finds_nothing_to_erase_issues_nothing(office: CloseOutOffice) -> None:
    await office.give_back()
    first = await office.erase()
    await office.order()
    await office.carry_out()
    assert await office.certificate() == first
    with pytest.raises(CloseOutRefusedError, match="erasure-under-way"):
        await office.make()


@pytest.mark.parametrize("stage", sorted(ERASING - {Stage.PENDING}))
async def test_a_crash_after_the_work_of_a_step_and_before_its_note_changes_nothing(
    office: CloseOutOffice, stage: Stage
) -> None:
    """Kill the process after the step; another process opens the vault and repeats the step."""
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.order()
    await office.answer(*OTHER_SERVICES)
    while (await office.stage()) is not stage:
        await office.one_step()
    record = await office.record()
    assert record.order is not None
    await office.erasure.step_of(stage)(office.vault.campaign, record, record.order)
    keystore = Keystore.open(office.vault.state_dir / "keys", "a passphrase of the tests")
    restarted = replace(office.erasure, stores=replace(office.erasure.stores, keystore=keystore))
    await restarted.carry_out(office.vault.campaign)
    certificate = await office.certificate()
    assert certificate["verdict"] == "PASS"
    counted = {row["store"]: row["before"] for row in certificate["services"] if row["service"] == "vault"}
    assert counted["identities"] == len(PEOPLE)


async def test_two_instances_issue_one_certificate(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.order()
    await office.answer(*OTHER_SERVICES)
    await await_all(*(office.erasure.carry_out(office.vault.campaign) for _ in range(2)))
    assert (await office.certificate())["verdict"] == "PASS"
    assert (await office.vault.audited()).count("key-destroyed") >= 1


def test_compression_hides_what_it_holds() -> None:
    """Why compressed logs are opened: in their bytes the name does not occur."""
    assert "髙﨑".encode() not in zlib.compress("髙﨑 花子 髙﨑 花子".encode())
