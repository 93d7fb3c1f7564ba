"""Attack a15: the holder of the vault's database user shortens the audit log; no checkpoint over it is signed.

The attacker has exactly the credentials of the vault (`create_users`). A second attacker, who has the database's own
administration, can delete lines; then nothing more is signed, and what was signed before convicts the log.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from deploy.mongodb.provision import create_users
from services.vault.audit import AuditEvent, AuditLog
from services.vault.audit.export import export_part
from services.vault.audit.rules.verification import ExportedLog, verify_log
from shared.clock import SystemClock
from shared.signing import SigningKey
from shared.storage import Database, OperationFailure, Store
from shared.tlog import NoteKey

KEY = SigningKey.from_bytes(b"\x07" * 32)
LOOK = AuditEvent("suzuki-01", "handler", "reveal:n1", "result-notice", None, "ab12", "revealed")
_EPOCH = 10**12
_UNAUTHORIZED = 13


@dataclass(frozen=True)
class Siege:
    """An audit log of 1,000 signed lines. `user`: with the vault's credentials; `root`: with the administrator's."""

    user: Database
    root: Database
    store: Store
    folder: Path

    def log(self) -> AuditLog:
        """Open the log as a vault process that starts does."""
        return AuditLog(self.store, KEY, SystemClock(), self.folder)


@pytest.fixture
async def siege(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Siege]:
    name, password = f"{namespace}_vault", secrets.token_urlsafe(12)
    create_users(mongo_url, {name: password}, {name: f"{name}_audit"})
    host = urlsplit(mongo_url).netloc.rpartition("@")[2]
    url = f"mongodb://{name}:{password}@{host}/?replicaSet=kuji&authSource={name}"
    async with Store.open(url, name) as store, Store.open(mongo_url, name) as root:
        siege = Siege(store.beside("audit"), root.beside("audit"), store, tmp_path / "checkpoints")
        audit = siege.log()
        await audit.record([LOOK] * 1000)
        assert await audit.checkpoint() is not None
        yield siege
        await root.db.client.drop_database(f"{name}_audit")
        with MongoClient[dict[str, Any]](mongo_url) as client:
            client[name].command("dropUser", name)
            client[f"{name}_audit"].command("dropAllRolesFromDatabase")
        await root.db.client.drop_database(name)


ATTEMPTS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "delete": lambda db: db["lines"].delete_many({"_id": {"$gt": _EPOCH + 500}}),
    "update": lambda db: db["lines"].update_one({"_id": _EPOCH + 1}, {"$set": {"line": "x"}}),
    "replace": lambda db: db["lines"].find_one_and_replace({"_id": _EPOCH + 1}, {"line": "x"}),
    "out": lambda db: db["lines"].aggregate([{"$limit": 1}, {"$out": "lines"}]).to_list(1),
    "drop": lambda db: db.command({"drop": "lines"}),
    "drop the database": lambda db: db.command({"dropDatabase": 1}),
    "rename": lambda db: db.client.admin.command(
        {"renameCollection": f"{db.name}.lines", "to": f"{db.name}.old", "dropTarget": True}
    ),
    "change the rule": lambda db: db.command({"collMod": "lines", "validator": {}}),
    "let lines expire": lambda db: db["lines"].create_index("at", expireAfterSeconds=1),
    "grant itself more": lambda db: db.command(
        {"grantPrivilegesToRole": "append", "privileges": [
            {"resource": {"db": db.name, "collection": "lines"}, "actions": ["remove"]},
        ]}
    ),
    "make another user": lambda db: db.command({"createUser": "x", "pwd": "x", "roles": ["readWrite"]}),
}  # fmt: skip


async def test_the_vaults_user_may_find_and_insert_lines_and_nothing_else(siege: Siege) -> None:
    for name, attempt in ATTEMPTS.items():
        with pytest.raises(OperationFailure) as refusal:
            await attempt(siege.user)
        assert refusal.value.code == _UNAUTHORIZED, name
    assert await siege.user["lines"].find_one({"_id": _EPOCH + 1000}) is not None
    assert await siege.log().is_whole()


async def test_a_log_without_its_last_500_lines_is_not_signed_again(siege: Siege) -> None:
    await siege.root["lines"].delete_many({"_id": {"$gt": _EPOCH + 500}})
    restarted = siege.log()
    assert await restarted.checkpoint() is None
    assert restarted.is_cut
    await restarted.record([LOOK] * 600)
    assert await siege.log().checkpoint() is None, "lines that follow the cut heal nothing"
    part = await export_part(restarted, 0)
    lines = await restarted.lines(0, 10_000)
    assert (part["cut"], await restarted.alarms["audit_log_cut"]()) == ("missing-lines", 1)
    checks = verify_log(ExportedLog(lines[:500], part["checkpoint"], NoteKey.parse(part["key"])))
    assert any("500 of 1000 signed lines are missing" in check.text for check in checks)


async def test_a_line_that_was_changed_or_taken_out_of_the_middle_is_found(siege: Siege) -> None:
    audit = siege.log()
    assert await audit.is_whole()
    kept = await siege.root["lines"].find_one({"_id": _EPOCH + 10})
    assert kept is not None
    changed = kept["line"].replace("suzuki", "tanaka")
    await siege.root["lines"].update_one({"_id": _EPOCH + 10}, {"$set": {"line": changed}})
    assert not await audit.is_whole()
    cut = audit.folder.cut(1)
    assert cut is not None
    assert cut.reason == "other-lines"
