"""Runs once beside MongoDB: makes the replica set, the administrator, and one user per service. Safe to run again."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

_Database: TypeAlias = "Database[Mapping[str, Any]]"

_TIMEOUT_S = 60.0
_ALREADY_INITIALIZED, _UNAUTHORIZED, _USER_EXISTS, _ROLE_EXISTS, _COLLECTION_EXISTS = 23, 13, 51003, 51002, 48

APPEND_ONLY = {"kuji_vault": "kuji_vault_audit"}
"""Databases to which a service may only add: the audit log beside the vault's own database (R-C7)."""

NEEDED: Final = (
    "find", "insert", "update", "remove",
    "createCollection", "createIndex", "dropIndex", "collMod", "listCollections", "listIndexes",
)  # fmt: skip
"""What a service does in its own database: documents, and the collections, rules and indexes of its start.

It may not drop or rename a collection, drop the database, write past a collection's rule, read the profiler or other
people's operations, run scripts, or make users and roles: `readWrite` and `dbAdmin` would allow most of this.
"""

_ROLE: Final = "service"

_LINES = {
    "bsonType": "object",
    "required": ["_id", "line"],
    "properties": {"_id": {"bsonType": "long"}, "line": {"bsonType": "string"}},
    "additionalProperties": False,
}


def become_primary(url: str, host: str, admin_password: str) -> None:
    """Initiate the set, await the election, create the first user (localhost exception of a fresh server).

    `host` is how members and clients reach this server. A server that has its administrator already is left as it is.
    """
    with MongoClient[Mapping[str, Any]](url, directConnection=True, serverSelectionTimeoutMS=5000) as client:
        settings = {"electionTimeoutMillis": 1000}
        members = [{"_id": 0, "host": host}]
        try:
            client.admin.command("replSetInitiate", {"_id": "kuji", "members": members, "settings": settings})
        except OperationFailure as error:
            if error.code not in {_ALREADY_INITIALIZED, _UNAUTHORIZED}:
                raise
        _await_primary(client)
        try:
            client.admin.command("createUser", "admin", pwd=admin_password, roles=["root"])
        except OperationFailure as error:
            if error.code not in {_UNAUTHORIZED, _USER_EXISTS}:
                raise


def create_users(url: str, users: Mapping[str, str], append_only: Mapping[str, str] = APPEND_ONLY) -> None:
    """Create a user for each database (`users`: database → password), called like it, which may write only there.

    `append_only`: database → second database, in whose collection `lines` its user may find and insert.
    """
    with MongoClient[Mapping[str, Any]](url, serverSelectionTimeoutMS=10_000) as client:
        for database, password in users.items():
            _make_role(client[database], _ROLE, {"db": database, "collection": ""}, NEEDED)
            _make_user(client[database], password, [{"role": _ROLE, "db": database}])
            if database in append_only:
                _allow_appending(client, database, append_only[database])


def _allow_appending(client: MongoClient[Mapping[str, Any]], user: str, database: str) -> None:
    """Make the collection `lines`, and let the user find and insert in it: not change, delete, drop or index."""
    _unless(_COLLECTION_EXISTS, client[database], {"create": "lines", "validator": {"$jsonSchema": _LINES}})
    _make_role(client[database], "append", {"db": database, "collection": "lines"}, ("find", "insert"))
    client[user].command({"grantRolesToUser": user, "roles": [{"role": "append", "db": database}]})


def _make_role(database: _Database, name: str, resource: dict[str, str], actions: Sequence[str]) -> None:
    """Make a role that may do these actions and nothing else, also where an earlier version allowed more."""
    privileges = [{"resource": resource, "actions": list(actions)}]
    if not _unless(_ROLE_EXISTS, database, {"createRole": name, "privileges": privileges, "roles": []}):
        database.command({"updateRole": name, "privileges": privileges, "roles": []})


def _make_user(database: _Database, password: str, roles: list[dict[str, str]]) -> None:
    """Make the user called like the database. One that exists keeps its password and gets these roles alone."""
    if not _unless(_USER_EXISTS, database, {"createUser": database.name, "pwd": password, "roles": roles}):
        database.command({"updateUser": database.name, "roles": roles})


def _unless(expected: int, database: _Database, command: Mapping[str, object]) -> bool:
    """Run the command; return False where it fails with this code: what it makes is there already."""
    try:
        database.command(dict(command))
    except OperationFailure as error:
        if error.code != expected:
            raise
        return False
    return True


def _await_primary(client: MongoClient[Mapping[str, Any]]) -> None:
    ends = time.monotonic() + _TIMEOUT_S
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > ends:
            raise TimeoutError("no primary was elected; look at MongoDB's log")
        time.sleep(0.05)


def main() -> None:
    wanted = json.loads(Path("/run/kuji/users.json").read_text("utf-8"))
    try:
        query = wanted.get("query", "")
        become_primary(f"mongodb://127.0.0.1:27017/?{query}", "mongo:27017", wanted["admin"])
        admin = f"mongodb://admin:{wanted['admin']}@127.0.0.1:27017/?directConnection=true&authSource=admin&{query}"
        create_users(admin, wanted["users"])
    except (PyMongoError, TimeoutError) as error:
        sys.exit(f"MongoDB cannot be set up: {type(error).__name__}; see its log and run this again")


if __name__ == "__main__":
    main()
