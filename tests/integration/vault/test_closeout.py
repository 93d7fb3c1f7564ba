"""The close-out on a real database and real keys: return, confirmation, erasure, proof, certificate."""

import asyncio
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pyrage
import pytest

from services.vault import identities
from services.vault.closeout import ledger as ledgers
from services.vault.closeout.certificate import Approval, verify_certificate
from services.vault.closeout.erasing import OTHERS, Erasure, Limits
from services.vault.closeout.ledger import Ledger
from services.vault.closeout.logsearch import LogSearch
from services.vault.closeout.measuring import ERASED, Measuring
from services.vault.closeout.returning import CloseOutRefused, Returns, TakeOut
from services.vault.closeout.stages import Stage
from services.vault.keystore import KeyDestroyed, Keystore
from services.vault.people import Person
from services.vault.printroom import archive
from services.vault.printroom.typesetting import Typesetter
from shared.contracts import ErasureCompleted, ErasureRequested, StoreErasure
from shared.ids import CampaignId
from shared.storage import OUTBOX
from tests.integration.vault.offices import Parts, parts

PEOPLE = [
    Person("髙﨑 花子", "1600021", "新宿区歌舞伎町1-4-1", "0311112222", None, "p3", "hanako@example.jp", "髙﨑 太郎"),
    Person("=SUM(A1) 𠮷田", "1600023", "新宿区西新宿2-8-1", "0333334444", 34, None, None, None),
]
WARD = pyrage.x25519.Identity.generate()
TAKE_OUT = TakeOut(str(WARD.to_public()), "handler-1", "responsible-1")
APPROVAL = Approval("handler-1", "ward-1", "responsible-1")


class EmptyQueues:
    """The broker's side, for tests that need no broker."""

    async def queue_depths(self) -> dict[str, int]:
        return {"vault.application.received": 0}

    async def purge_campaign(self, campaign: CampaignId) -> int:
        assert campaign
        return 0


@dataclass(frozen=True)
class Office:
    vault: Parts
    ledger: Ledger
    returns: Returns
    erasure: Erasure
    log: Path

    async def give_back(self) -> bytes:
        """Make the package, fetch it, confirm it; the encrypted file."""
        made = await self.returns.make(self.vault.campaign, TAKE_OUT)
        file = await self.returns.file(self.vault.campaign.id, made["id"])
        assert file is not None
        content = file.read_bytes()
        await self.returns.confirm(self.vault.campaign.id, hashlib.sha256(content).hexdigest(), "ward-1")
        return content

    async def erase(self, *, silent: tuple[str, ...] = ()) -> dict[str, object]:
        """Order, let the others answer, carry out; the certificate."""
        await self.erasure.order(self.vault.campaign, APPROVAL, None)
        await self.answer(*(set(OTHERS) - set(silent)))
        await self.erasure.carry_out(self.vault.campaign)
        return await self.certificate()

    async def answer(self, *services: str, result: str = "PASS") -> None:
        _, record = await self.ledger.of(self.vault.campaign.id)
        left = 0 if result == "PASS" else 3
        store = StoreErasure(store="queues", before=None, after=left, residue=left, result=result)
        events = [
            ErasureCompleted(
                campaign=self.vault.campaign.id, erasure_id=record["order"]["id"], service=service, stores=(store,)
            )
            for service in services
        ]
        await self.vault.store.transact(lambda uow: self.erasure.on_completed(events, uow))
        await self.vault.store.db[OUTBOX].delete_many({})

    async def certificate(self) -> dict[str, object]:
        _, record = await self.ledger.of(self.vault.campaign.id)
        content: dict[str, object] = json.loads(record["certificate"])
        return content

    async def stage(self) -> Stage:
        return (await self.ledger.of(self.vault.campaign.id))[0]

    async def left(self) -> int:
        wanted = {"campaign": self.vault.campaign.id}
        return sum([await self.vault.store.db[name].count_documents(wanted) for name in ERASED])


def wire(vault: Parts, folder: Path, limits: Limits) -> Office:
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "vault.log").write_text('{"event":"batch-printed","campaign":"777-days"}\n', "utf-8")
    ledger = Ledger(vault.store)
    returns = Returns(vault.store, vault.identities, vault.audit, ledger, vault.clock, folder / "outgoing")
    erasure = Erasure(
        store=vault.store,
        ledger=ledger,
        audit=vault.audit,
        measuring=Measuring(vault.store, vault.keystore, EmptyQueues(), returns),
        logs=LogSearch(vault.store, vault.identities, [logs]),
        typesetter=Typesetter(),
        clock=vault.clock,
        limits=limits,
    )
    return Office(vault, ledger, returns, erasure, logs / "vault.log")


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Office]:
    collections = [*archive.collections(), *ledgers.collections()]
    async with parts(mongo_url, namespace, tmp_path, collections) as vault:
        wired = wire(vault, tmp_path, Limits(answers_s=60, backup_horizon_days=0))
        await wired.ledger.ensure([vault.campaign.id])
        yield wired


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(content, [WARD]))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def compressed(file: Path, data: bytes) -> None:
    with gzip.open(file.with_suffix(".log.gz"), "wb") as stream:
        stream.write(data)


# --- return ---


async def test_the_package_holds_every_person_and_opens_for_the_ward_only(office: Office) -> None:
    known = await office.vault.admit(PEOPLE)
    content = await office.give_back()
    files = unpacked(content)
    lines = [json.loads(line) for line in files["applications.jsonl"].decode().splitlines()]
    assert {line["application_id"] for line in lines} == {each.application_id for each in known}
    assert {line["name"] for line in lines} == {person.name for person in PEOPLE}
    assert lines[0]["refused"] == [{"class_id": "press-kids", "reason": "grade"}]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [pyrage.x25519.Identity.generate()])
    assert "髙﨑".encode() not in content


async def test_the_table_is_for_spreadsheets_and_runs_nothing_there(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    table = unpacked(await office.give_back())["applications.csv"]
    assert table.startswith(b"\xef\xbb\xbf")
    assert "受付番号" in table.decode("utf-8-sig").splitlines()[0]
    assert "'=SUM(A1) 𠮷田" in table.decode("utf-8-sig")


async def test_the_checksums_in_the_package_hold(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    files = unpacked(await office.give_back())
    sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert "返還資料" in files["README.txt"].decode("utf-8-sig")


async def test_every_identity_that_is_returned_is_written_down(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    lines = [json.loads(line) for line in (await office.vault.audited()).splitlines()]
    assert [line["purpose"] for line in lines] == ["return"] * 3
    assert lines[-1]["actor"] == "handler-1+responsible-1"


async def test_one_person_alone_takes_nothing_out(office: Office) -> None:
    with pytest.raises(CloseOutRefused, match="two-people-needed"):
        await office.returns.make(office.vault.campaign, replace(TAKE_OUT, approved_by="handler-1"))
    assert await office.vault.audited() == ""


async def test_a_recipient_that_is_no_key_is_refused_before_anything_is_read(office: Office) -> None:
    await office.vault.admit(PEOPLE)
    with pytest.raises(CloseOutRefused, match="unknown-recipient"):
        await office.returns.make(office.vault.campaign, replace(TAKE_OUT, recipient="age1" + "q" * 58))
    assert await office.vault.audited() == ""


async def test_a_confirmation_of_another_file_is_refused(office: Office) -> None:
    await office.returns.make(office.vault.campaign, TAKE_OUT)
    with pytest.raises(CloseOutRefused, match="other-package"):
        await office.returns.confirm(office.vault.campaign.id, "0" * 64, "ward-1")
    assert await office.stage() is Stage.RETURNED


async def test_a_new_package_needs_a_new_confirmation(office: Office) -> None:
    await office.give_back()
    await office.returns.make(office.vault.campaign, TAKE_OUT)
    assert await office.stage() is Stage.RETURNED


# --- erasure ---


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
    with pytest.raises(KeyDestroyed):
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
