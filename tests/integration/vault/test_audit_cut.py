"""A log that was cut, forked or set back is not signed again; a new one goes on, opened by two people."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.vault.audit import COLLECTION, DATABASE, AuditEvent, AuditLog, NotCutError
from services.vault.audit.export import list_logs
from services.vault.audit.folder import SignedState
from services.vault.audit.rules.verification import ExportedLog, check_numbers, verify_log
from services.vault.records.new_log import NewAuditLog
from shared.clock import SystemClock
from shared.signing import SigningKey
from shared.storage import Database, Store
from shared.tlog import NoteKey
from tests.support.approval_gate import KnownApprovals
from tests.support.databases import own_database

KEY = SigningKey.from_bytes(b"\x07" * 32)
LOOK = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "revealed")
EPOCH = 10**12


@dataclass(frozen=True)
class Books:
    store: Store
    folder: Path

    @property
    def database(self) -> Database:
        return self.store.beside(DATABASE)

    def log(self) -> AuditLog:
        """Open the log as one more process of the installation does."""
        return AuditLog(self.store, KEY, SystemClock(), self.folder)

    async def signed(self, audit: AuditLog, count: int) -> SignedState:
        await audit.record([replace(LOOK, outcome=f"o{number}") for number in range(count)])
        signed = await audit.checkpoint()
        assert signed is not None
        return signed

    async def keep(self) -> list[dict[str, object]]:
        """Return a backup of the database."""
        return await self.database[COLLECTION].find().sort("_id", 1).to_list(None)

    async def restore(self, backup: list[dict[str, object]]) -> None:
        await self.database[COLLECTION].delete_many({})
        await self.database[COLLECTION].insert_many(backup)


@pytest.fixture
async def books(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Books]:
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        yield Books(store, tmp_path / "checkpoints")


async def test_an_older_database_that_was_restored_is_not_signed(books: Books) -> None:
    audit = books.log()
    await books.signed(audit, 5)
    backup = await books.keep()
    await books.signed(audit, 5)
    await books.restore(backup)
    for process in (books.log(), audit):
        await process.record([LOOK] * 9)
        assert await process.checkpoint() is None
    cut = audit.folder.cut(1)
    assert cut is not None
    assert (cut.reason, cut.size) in {("other-lines", 10), ("missing-lines", 10), ("missing-lines", 11)}


async def test_two_processes_that_sign_in_turns_extend_one_checkpoint(books: Books) -> None:
    logs = [books.log(), books.log()]
    for turn in range(6):
        await asyncio.gather(*(log.record([replace(LOOK, outcome=f"t{turn}")] * 7) for log in logs))
        signed = await asyncio.gather(*(log.checkpoint() for log in logs))
        assert max(state.size for state in signed if state is not None) == 14 * (turn + 1)
    assert await books.log().is_whole()
    assert check_numbers(await logs[0].lines(0)).passed


async def test_lines_before_a_crash_are_covered_by_the_next_checkpoint(books: Books) -> None:
    crashed = books.log()
    await books.signed(crashed, 3)
    await crashed.record([LOOK] * 2)
    signed = await books.log().checkpoint()
    assert signed is not None
    assert signed.size == 5


async def test_a_line_that_is_changed_before_its_checkpoint_is_found_by_its_writer(books: Books) -> None:
    audit = books.log()
    await books.signed(audit, 3)
    await audit.record([LOOK])
    kept = await books.database[COLLECTION].find_one({"_id": EPOCH + 4})
    assert kept is not None
    changed = kept["line"].replace("suzuki", "tanaka")
    await books.database[COLLECTION].update_one({"_id": EPOCH + 4}, {"$set": {"line": changed}})
    assert await audit.checkpoint() is None
    assert audit.is_cut


async def test_a_line_inserted_out_of_order_is_a_gap(books: Books) -> None:
    audit = books.log()
    await books.signed(audit, 3)
    await books.database[COLLECTION].insert_one({"_id": EPOCH + 9, "line": "{}"})
    assert await audit.checkpoint() is None
    assert audit.is_cut


async def test_a_new_log_opened_by_approval_holds_the_old_checkpoint_and_goes_on(books: Books) -> None:
    audit, gate = books.log(), KnownApprovals()
    opening = NewAuditLog(books.store, audit, gate)
    signed = await books.signed(audit, 5)
    with pytest.raises(NotCutError):
        await opening.open(gate.new(), "suzuki-01")
    await books.database[COLLECTION].delete_one({"_id": EPOCH + 5})
    assert await audit.checkpoint() is None
    await audit.record([LOOK])
    other = books.log()
    assert await opening.open(gate.new(), "suzuki-01") == 2
    await other.record([LOOK])
    newer = await other.checkpoint()
    assert newer is not None
    assert newer.size == 2
    assert not audit.is_cut
    first = json.loads((await audit.lines(0))[0])
    assert first["previous"]["checkpoint"] == signed.note
    assert (first["previous"]["reason"], first["previous"]["lines"]) == ("missing-lines", 5)
    with pytest.raises(NotCutError):
        await opening.open(gate.new(), "suzuki-01")
    old, new = await list_logs(audit)
    checks = [verify_log(ExportedLog(log["lines"], log["checkpoint"], NoteKey.parse(log["key"]))) for log in (old, new)]
    assert [all(check.passed for check in part) for part in checks] == [False, True]


async def test_a_number_that_was_taken_beforehand_does_not_keep_a_new_log_from_opening(books: Books) -> None:
    audit = books.log()
    await books.signed(audit, 2)
    await books.database[COLLECTION].insert_one({"_id": 2 * EPOCH + 1, "line": "{}"})
    await books.database[COLLECTION].delete_one({"_id": EPOCH + 2})
    assert await audit.checkpoint() is None
    assert await audit.open_new_log(LOOK) == 3
    assert (await books.signed(audit, 1)).size == 2
