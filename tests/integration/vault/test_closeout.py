"""The close-out on a real database and real keys: erasure, proof, certificate."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest

from services.vault.closeout.erasure import OTHERS, Limits
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.return_package import CloseOutRefused
from services.vault.closeout.rules.certificate import verify_certificate
from services.vault.closeout.rules.stages import Stage
from services.vault.identities import repository as identities
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from tests.support.closeout_harness import APPROVAL, PEOPLE, TAKE_OUT, Office


def compressed(file: Path, data: bytes) -> None:
    with gzip.open(file.with_suffix(".log.gz"), "wb") as stream:
        stream.write(data)


async def test_after_the_erasure_nothing_is_left_and_nothing_opens(office: Office) -> None:
    known = await office.vault.admit(PEOPLE)
    saved = await office.vault.store.db[identities.COLLECTION].find_one({"_id": known[0].token})
    assert saved is not None
    await office.give_back()
    certificate = await office.erase()
    assert certificate["verdict"] == "PASS"
    assert await office.left() == 0
    assert office.returns.files(office.vault.campaign.id) == []
    await office.vault.store.db[identities.COLLECTION].insert_one(saved)
    with pytest.raises(KeyDestroyedError):
        office.vault.keystore.campaign(office.vault.campaign.id)
    assert await office.vault.identities.reveal([known[0].token], purpose="erasure", actor="a", case="c") == {}


async def test_the_others_are_told_once(office: Office) -> None:
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    assert len(await office.vault.said(ErasureRequested)) == 1


async def test_the_certificate_can_be_checked_with_the_published_key_alone(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.erase()
    _, record = await office.ledger.of(office.vault.campaign.id)
    public = office.vault.keystore.signing.public
    assert all(check.passed for check in verify_certificate(record["certificate"], public))
    assert not any(person.name.encode() in record["certificate"] for person in PEOPLE)


async def test_the_page_carries_the_signed_bytes_and_shows_the_verdict(office: Office) -> None:
    await office.give_back()
    await office.erase()
    _, record = await office.ledger.of(office.vault.campaign.id)
    with pypdfium2.PdfDocument(record["page"]) as document:
        assert len(document) == 1
        assert document.count_attachments() == 1
        attached = bytes(document.get_attachment(0).get_data())
        text = "".join(document[0].get_textpage().get_text_range().split())
    assert attached == record["certificate"]
    assert "消去証明書" in text
    assert "すべて消去したことを確認しました" in text


async def test_a_service_that_stays_silent_is_unknown_and_decides(office: Office) -> None:
    patient = replace(office, erasure=replace(office.erasure, limits=Limits(answers_s=60, backup_horizon_days=0)))
    await patient.give_back()
    await patient.erasure.order(office.vault.campaign, APPROVAL, None)
    await patient.answer("intake", "lottery")
    await patient.erasure.carry_out(office.vault.campaign)
    assert await office.stage() is Stage.MEASURED
    hasty = replace(office.erasure, limits=Limits(answers_s=0.001, backup_horizon_days=0))
    await hasty.carry_out(office.vault.campaign)
    certificate = await office.certificate()
    assert certificate["verdict"] == "UNKNOWN"
    silent = [row for row in certificate["services"] if row["service"] == "notifier"]
    assert silent == [
        {"service": "notifier", "store": "all", "before": None, "after": None, "residue": None, "result": "UNKNOWN"}
    ]


async def test_what_another_service_could_not_erase_fails_the_whole(office: Office) -> None:
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.answer("intake", "lottery")
    await office.answer("notifier", result="FAIL")
    await office.erasure.carry_out(office.vault.campaign)
    assert (await office.certificate())["verdict"] == "FAIL"


async def test_an_answer_to_another_order_is_not_taken(office: Office) -> None:
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    store = StoreErasure(store="queues", before=None, after=0, residue=0, result="PASS")
    stale = ErasureCompleted(
        campaign=office.vault.campaign.id, erasure_id="erasure-old", service="intake", stores=(store,)
    )
    await office.vault.store.transact(lambda uow: office.erasure.on_completed([stale], uow))
    _, record = await office.ledger.of(office.vault.campaign.id)
    assert record["answers"] == {}


@pytest.mark.parametrize("write", [Path.write_bytes, compressed])
async def test_a_person_in_a_log_fails_the_erasure(office: Office, write: Callable[[Path, bytes], object]) -> None:
    await office.vault.admit(PEOPLE)
    write(office.log.with_name("old.log"), json.dumps({"oops": "髙﨑 花子"}).encode())
    await office.give_back()
    certificate = await office.erase()
    assert certificate["verdict"] == "FAIL"
    assert certificate["logs"]["hits"] == 1


async def test_logs_that_nobody_named_are_unknown(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    blind = LogSearch(office.vault.store, office.vault.identities, [])
    await office.give_back()
    certificate = await replace(office, erasure=replace(office.erasure, logs=blind)).erase()
    assert certificate["logs"]["result"] == certificate["verdict"] == "UNKNOWN"


async def test_a_package_that_lies_elsewhere_is_unknown(office: Office) -> None:
    await office.give_back()
    office.returns.remove_files(office.vault.campaign.id)
    certificate = await office.erase()
    assert certificate["verdict"] == "UNKNOWN"


async def test_a_document_that_escapes_the_deletion_is_found(office: Office) -> None:
    (known,) = await office.vault.admit(PEOPLE[:1])
    saved = await office.vault.store.db[identities.COLLECTION].find_one({"_id": known.token})
    assert saved is not None
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.answer(*OTHERS)
    steps = office.erasure._steps
    for stage in (Stage.REQUESTED, Stage.SCANNED, Stage.DESTROYED):
        _, record = await office.ledger.of(office.vault.campaign.id)
        step, following = steps[stage]
        facts = await step(office.vault.campaign, record)
        assert facts is not None
        await office.ledger.advance(office.vault.campaign.id, following, facts)
    await office.vault.store.db[identities.COLLECTION].insert_one(saved)
    await office.erasure.carry_out(office.vault.campaign)
    assert (await office.certificate())["verdict"] == "FAIL"


async def test_erasure_waits_for_the_wards_confirmation(office: Office) -> None:
    await office.returns.make(office.vault.campaign, TAKE_OUT)
    with pytest.raises(CloseOutRefused, match="return-not-confirmed"):
        await office.erasure.order(office.vault.campaign, APPROVAL, None)


async def test_one_person_alone_erases_nothing(office: Office) -> None:
    await office.give_back()
    with pytest.raises(CloseOutRefused, match="two-people-needed"):
        await office.erasure.order(office.vault.campaign, replace(APPROVAL, approved_by="handler-1"), None)


async def test_before_the_close_out_date_a_reason_is_needed(office: Office) -> None:
    await office.give_back()
    office.vault.clock.at = office.vault.campaign.close_out - timedelta(seconds=1)
    with pytest.raises(CloseOutRefused, match="before-close-out"):
        await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.erasure.order(office.vault.campaign, APPROVAL, "event-cancelled")
    assert await office.stage() is Stage.REQUESTED
    assert "event-cancelled" in await office.vault.audited()


async def test_a_retry_that_finds_nothing_to_erase_issues_nothing(office: Office) -> None:
    await office.give_back()
    first = await office.erase()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.erasure.carry_out(office.vault.campaign)
    assert await office.certificate() == first
    with pytest.raises(CloseOutRefused, match="erasure-under-way"):
        await office.returns.make(office.vault.campaign, TAKE_OUT)


@pytest.mark.parametrize("stage", [Stage.REQUESTED, Stage.SCANNED, Stage.DESTROYED, Stage.EMPTIED, Stage.MEASURED])
async def test_a_crash_after_the_work_of_a_step_and_before_its_note_changes_nothing(
    office: Office, stage: Stage
) -> None:
    """The step is done and the process dies; another one opens the vault and does the step again."""
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.answer(*OTHERS)
    while (await office.stage()) is not stage:
        await _one_step(office)
    step, _ = office.erasure._steps[stage]
    await step(office.vault.campaign, (await office.ledger.of(office.vault.campaign.id))[1])
    keystore = Keystore.open(office.vault.state_dir / "keys", "a passphrase of the tests")
    restarted = replace(office.erasure, measuring=replace(office.erasure.measuring, keystore=keystore))
    await restarted.carry_out(office.vault.campaign)
    certificate = await office.certificate()
    assert certificate["verdict"] == "PASS"
    counted = {row["store"]: row["before"] for row in certificate["services"] if row["service"] == "vault"}
    assert counted["identities"] == len(PEOPLE)


async def _one_step(office: Office) -> None:
    stage, record = await office.ledger.of(office.vault.campaign.id)
    step, following = office.erasure._steps[stage]
    facts = await step(office.vault.campaign, record)
    assert facts is not None
    await office.ledger.advance(office.vault.campaign.id, following, facts)


async def test_two_instances_issue_one_certificate(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    await office.erasure.order(office.vault.campaign, APPROVAL, None)
    await office.answer(*OTHERS)
    await asyncio.gather(*(office.erasure.carry_out(office.vault.campaign) for _ in range(2)))
    assert (await office.certificate())["verdict"] == "PASS"
    assert (await office.vault.audited()).count("key-destroyed") >= 1


def test_compression_hides_what_it_holds() -> None:
    """Why compressed logs are opened: in their bytes the name does not occur."""
    assert "髙﨑".encode() not in zlib.compress("髙﨑 花子 髙﨑 花子".encode())
