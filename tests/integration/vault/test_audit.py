"""Every look at a person is written down first; several writers keep one log; a checkpoint pins what was written."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.vault.audit import AuditEvent, AuditLog, NotRecordedError
from services.vault.audit.rules.verification import ExportedLog, check_numbers, verify_log
from services.vault.identities.person import Person
from services.vault.identities.repository import StoredIdentity
from services.vault.identities.repository import collections as identity_collections
from services.vault.identities.reveal import Identities, PurposeNotAllowedError
from services.vault.keys.errors import VaultLockedError
from services.vault.keys.keystore import Keystore
from services.vault.people.staff_acts import StaffActLines
from shared.campaign.model import Purpose
from shared.clock import FixedClock
from shared.contracts import ActOfStaff, StaffAct, StaffActed
from shared.ids import ApplicationId, Receipt, Token, new_application_id, new_token
from shared.merkle import leaf_hash, root
from shared.storage import PyMongoError, Store, UnitOfWork
from shared.tlog import Note, NoteKey, read_checkpoint
from tests.support.identity_builders import CAMPAIGN, CODE, NOT_AFTER, campaign, content, person, written
from tests.support.vault_harness import Installation
from tests.support.waiting import await_all, until

LOOK = AuditEvent("relay", "service", "reveal:n1", "result-notice", CAMPAIGN, "ab12", "revealed")
WRITERS, GROUPS, GROUP = 4, 15, 7


@dataclass(frozen=True)
class Books:
    """A vault's identities and audit log without the rest of it."""

    store: Store
    keystore: Keystore
    folder: Path
    audit: AuditLog

    def another_log(self) -> AuditLog:
        """Open the audit log as another process of the same installation does."""
        return AuditLog(self.store, self.keystore.signing, FixedClock(NOT_AFTER), self.folder / "checkpoints")

    def identities(self, *purposes: Purpose, audit: AuditLog | None = None) -> Identities:
        allowed = campaign().model_copy(update={"purposes": frozenset(purposes)})
        return Identities(self.store, self.keystore, audit or self.audit, {CAMPAIGN: allowed})

    async def store_person(self, who: Person) -> tuple[Token, ApplicationId]:
        token, application_id = new_token(), new_application_id()
        identity = StoredIdentity.encrypt(
            self.keystore.campaign(CAMPAIGN),
            token=token,
            campaign=CAMPAIGN,
            application_id=application_id,
            receipt=Receipt("W-7K3M-9Q2P-6"),
            person=who,
            code=CODE,
        )
        await self.store.db["identities"].insert_one(identity.to_document())
        return token, application_id


@pytest.fixture
async def books(installation: Installation) -> Books:
    await installation.store.ensure(identity_collections())
    keystore = Keystore.open(installation.folder / "keys", "a passphrase of the tests")
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    where = installation.folder / "checkpoints"
    audit = AuditLog(installation.store, keystore.signing, FixedClock(NOT_AFTER), where)
    return Books(installation.store, keystore, installation.folder, audit)


async def whole(audit: AuditLog) -> list[str]:
    lines: list[str] = []
    while part := await audit.lines(len(lines), limit=100):
        lines += part
    return lines


async def test_several_writers_at_once_keep_one_chain_and_lose_nothing(books: Books):
    async def write(number: int) -> None:
        log = books.another_log()
        for group in range(GROUPS):
            await log.record([replace(LOOK, actor=f"w{number}", outcome=f"g{group}-{i}") for i in range(GROUP)])

    await await_all(*(write(number) for number in range(WRITERS)))
    lines = await whole(books.audit)
    assert check_numbers(lines).passed
    written_by = [(line["actor"], line["outcome"]) for line in map(json.loads, lines)]
    assert len(set(written_by)) == len(written_by) == WRITERS * GROUPS * GROUP


async def test_acts_of_staff_elsewhere_become_lines_and_name_an_application_by_an_hmac(books: Books):
    at = datetime(2018, 6, 1, 9, tzinfo=UTC)
    cases = ((StaffAct.ENTER_BEACON, "d-1"), (StaffAct.WITHDRAW_PLACE, "ab" * 16))
    items = tuple(ActOfStaff(sub="yamada-01", act=act, case=case, at=at) for act, case in cases)
    event = StaffActed(service="lottery", campaign=CAMPAIGN, items=items)

    async def handle(uow: UnitOfWork) -> None:
        await StaffActLines(books.audit, books.keystore).on_acted([event], uow)

    await books.store.transact(handle)
    dice, withdrawal = map(json.loads, await whole(books.audit))
    assert (dice["actor"], dice["action"], dice["purpose"]) == ("yamada-01", "enter-beacon:d-1", "lottery")
    assert (dice["campaign"], dice["subject"], dice["outcome"]) == (
        CAMPAIGN,
        None,
        "done 2018-06-01T09:00:00.000+00:00",
    )
    subject = books.keystore.campaign(CAMPAIGN).subject_of("ab" * 16)
    assert (withdrawal["action"], withdrawal["subject"]) == ("withdraw-place", subject)


async def test_lines_of_concurrent_callers_are_all_durable_when_the_calls_return(books: Books):
    await await_all(*(books.audit.record([replace(LOOK, actor=f"a{number}")]) for number in range(40)))
    lines = await whole(books.audit)
    assert len(lines) == 40
    assert check_numbers(lines).passed


async def test_a_cancelled_caller_cancels_no_other(books: Books):
    callers = [asyncio.create_task(books.audit.record([replace(LOOK, actor=f"a{number}")])) for number in range(5)]
    await asyncio.sleep(0)
    callers[0].cancel()
    async with asyncio.timeout(60):
        results = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [None] * 4
    actors = {json.loads(line)["actor"] for line in await whole(books.audit)}
    assert actors >= {"a1", "a2", "a3", "a4"}


async def test_a_checkpoint_is_a_signed_note_and_stands_outside_the_database(books: Books):
    await books.audit.record([LOOK] * 3)
    signed = await books.audit.checkpoint()
    assert signed is not None
    checkpoint = read_checkpoint(Note.parse(signed.note), [books.keystore.signing.public])
    tree = [leaf_hash(line.encode()) for line in await whole(books.audit)]
    name = books.keystore.signing.name
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (f"kuji/audit/{name}/1", 3, root(tree))
    assert await books.another_log().checkpoint() == signed
    await books.another_log().record([LOOK])
    longer = await books.audit.checkpoint()
    assert longer is not None
    assert longer.size == 4
    kept = (books.folder / "checkpoints" / "1-all.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["note"] for line in kept] == [signed.note, longer.note]


async def test_a_checkpoint_comes_by_itself_after_a_thousand_lines(books: Books):
    async with books.audit.checkpoints():
        await books.audit.record([LOOK] * 1000)
        await until(lambda: books.audit.folder.signed(1) is not None)
    signed = books.audit.folder.signed(1)
    assert signed is not None
    assert signed.size == 1000


async def test_a_revealed_person_is_whole_and_the_look_is_written_down(books: Books):
    token, application_id = await books.store_person(person())
    unknown = new_token()
    revealed = await books.identities("print").reveal([token, unknown], purpose="print", actor="printroom", case="b1")
    assert set(revealed) == {token}
    assert (revealed[token].person, revealed[token].application_id) == (person(), application_id)
    (line,) = map(json.loads, await whole(books.audit))
    assert (line["actor"], line["action"], line["purpose"]) == ("printroom", "reveal:b1", "print")
    assert (line["campaign"], line["outcome"]) == (CAMPAIGN, "revealed")
    assert line["subject"] == books.keystore.campaign(CAMPAIGN).subject_of(application_id)
    assert token not in json.dumps(line)


async def test_a_purpose_that_the_campaign_does_not_allow_reveals_nothing(books: Books):
    token, _ = await books.store_person(person())
    with pytest.raises(PurposeNotAllowedError):
        await books.identities("print").reveal([token], purpose="result-notice", actor="relay", case="n1")


async def test_what_cannot_be_written_down_is_not_revealed(books: Books):
    token, _ = await books.store_person(person())
    nowhere = Store.open("mongodb://127.0.0.1:1/?directConnection=true", "kuji", timeout_s=0.3)
    mute = AuditLog(nowhere, books.keystore.signing, FixedClock(NOT_AFTER), books.folder / "x")
    with pytest.raises(NotRecordedError) as refusal:
        await books.identities("print", audit=mute).reveal([token], purpose="print", actor="printroom", case="b1")
    await nowhere.close()
    assert person().name not in str(refusal.value)


async def test_a_ciphertext_under_another_token_reveals_no_identity(books: Books):
    one, _ = await books.store_person(person())
    other, _ = await books.store_person(person(name="佐藤 恵子"))
    kept = await books.store.db["identities"].find_one({"_id": one})
    assert kept is not None
    moved = {"wrapped_key": kept["wrapped_key"], "ciphertext": kept["ciphertext"]}
    await books.store.db["identities"].update_one({"_id": other}, {"$set": moved})
    revealed = await books.identities("print").reveal([one, other], purpose="print", actor="printroom", case="b1")
    assert set(revealed) == {one}
    outcomes = sorted(json.loads(line)["outcome"] for line in await whole(books.audit))
    assert outcomes == ["damaged", "revealed"]


async def test_after_the_key_is_destroyed_no_identity_is_revealed(books: Books):
    token, _ = await books.store_person(person())
    books.keystore.destroy_campaign_key(CAMPAIGN)
    assert await books.identities("print").reveal([token], purpose="print", actor="printroom", case="b1") == {}


async def test_a_locked_vault_reveals_no_identity(books: Books):
    token, _ = await books.store_person(person())
    books.keystore.lock()
    with pytest.raises(VaultLockedError):
        await books.identities("print").reveal([token], purpose="print", actor="printroom", case="b1")


async def test_the_collections_refuse_a_person_in_the_clear(books: Books):
    token, _ = await books.store_person(person())
    with pytest.raises(PyMongoError):
        await books.store.db["identities"].update_one({"_id": token}, {"$set": {"name": "髙橋 一郎"}})


async def test_auditors_read_the_log_over_http_in_parts(installation: Installation):
    async with installation.vault() as http:
        key = await installation.sealing_key(http)
        await installation.say(*(installation.received(key, written(content(v=2))) for _ in range(3)))
        await installation.said_everything()
        first = (await http.get("/v1/audit")).json()
        rest = (await http.get("/v1/audit", params={"after": 1, "epoch": 1})).json()
        public = (await http.get("/v1/signing-key")).json()["public_key"]
        refused = await http.get("/v1/audit", params={"after": -1})
        whole_log = await http.post("/v1/audit/logs", json={"approval": "a-" + "0" * 20})
    assert rest["lines"] == first["lines"][1:]
    key = NoteKey.parse(first["key"])
    assert key.public == public
    assert all(check.passed for check in verify_log(ExportedLog(first["lines"], first["checkpoint"], key)))
    assert (first["cut"], first["witness_key"], first["last_epoch"]) == (None, None, 1)
    assert refused.status_code == 422
    assert (whole_log.status_code, whole_log.json()["type"].rpartition(":")[2]) == (409, "audit-log-whole")
