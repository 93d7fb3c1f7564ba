"""Return package: its contents, that only the ward opens it, its confirmation; on a real database and real keys."""

import hashlib
import io
import json
import zipfile

import pyrage
import pytest

from services.vault.audit import COLLECTION, DATABASE
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.rules.stages import Stage
from shared.approvals import ApprovalRefusedError
from tests.support.closeout_harness import HANDLER, PEOPLE, WARD, CloseOutOffice


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(content, [WARD]))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


async def test_the_package_holds_every_person_and_opens_for_the_ward_only(office: CloseOutOffice) -> None:
    known = await office.vault.admit(PEOPLE)
    content = await office.give_back()
    files = unpacked(content)
    lines = [json.loads(line) for line in files["applications.jsonl"].decode().splitlines()]
    assert {line["application_id"] for line in lines} == {application.application_id for application in known}
    assert {line["name"] for line in lines} == {person.name for person in PEOPLE}
    assert lines[0]["refused"] == [{"class_id": "press-kids", "reason": "grade"}]
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [pyrage.x25519.Identity.generate()])
    assert "髙﨑".encode() not in content


async def test_the_table_is_for_spreadsheets_and_runs_nothing_there(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    table = unpacked(await office.give_back())["applications.csv"]
    assert table.startswith(b"\xef\xbb\xbf")
    assert "受付番号" in table.decode("utf-8-sig").splitlines()[0]
    assert "'=SUM(A1) 𠮷田" in table.decode("utf-8-sig")


async def test_the_checksums_in_the_package_hold(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    files = unpacked(await office.give_back())
    sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert "返還資料" in files["README.txt"].decode("utf-8-sig")


async def test_every_identity_that_is_returned_is_written_down(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    lines = [json.loads(line) for line in (await office.vault.audited()).splitlines()]
    assert [line["purpose"] for line in lines] == ["return"] * 4
    assert lines[2]["actor"] == "handler-1+responsible-1+ward-1"
    assert (lines[3]["action"], lines[3]["role"]) == ("confirm-return", "ward")


async def test_without_the_wards_fixed_key_nothing_is_taken_out(office: CloseOutOffice) -> None:
    with pytest.raises(CloseOutRefusedError, match="no-ward-key"):
        await office.returns.make(office.vault.campaign, office.gate.new(), HANDLER)
    assert await office.vault.audited() == ""


async def test_a_ward_key_that_is_none_is_refused(office: CloseOutOffice) -> None:
    with pytest.raises(CloseOutRefusedError, match="unknown-recipient"):
        await office.ward_keys.fix(office.vault.campaign.id, "age1" + "q" * 58, office.gate.new(), HANDLER)
    assert office.gate.executed == {}


async def test_a_used_approval_leaves_no_package(office: CloseOutOffice) -> None:
    await office.make()
    with pytest.raises(ApprovalRefusedError, match="used"):
        await office.returns.make(office.vault.campaign, next(iter(office.gate.executed)), HANDLER)
    assert office.folders.counts(office.vault.campaign.id)["return package"] == 1


async def test_only_who_opened_the_package_confirms_it(office: CloseOutOffice) -> None:
    made = await office.make()
    with pytest.raises(CloseOutRefusedError, match="wrong-code"):
        await office.returns.confirm(office.vault.campaign.id, made["sha256"], "AAAA-BBBB-CCCC-DDDD", "ward-1")
    with pytest.raises(CloseOutRefusedError, match="two-people-needed"):
        await office.returns.confirm(office.vault.campaign.id, made["sha256"], "", HANDLER)
    assert await office.stage() is Stage.RETURNED


async def test_a_confirmation_of_another_file_is_refused(office: CloseOutOffice) -> None:
    await office.make()
    with pytest.raises(CloseOutRefusedError, match="other-package"):
        await office.returns.confirm(office.vault.campaign.id, "0" * 64, "", "ward-1")
    assert await office.stage() is Stage.RETURNED


async def test_a_new_package_needs_a_new_confirmation(office: CloseOutOffice) -> None:
    await office.give_back()
    await office.make()
    assert await office.stage() is Stage.RETURNED


async def test_nothing_is_taken_out_while_the_audit_log_is_cut(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    await office.give_back()
    assert await office.vault.audit.checkpoint() is not None
    await office.vault.store.beside(DATABASE)[COLLECTION].find_one_and_delete({}, sort=[("_id", -1)])
    with pytest.raises(CloseOutRefusedError, match="audit-log-cut"):
        await office.returns.make(office.vault.campaign, office.gate.new(), HANDLER)
