"""Runs once beside MongoDB: makes the replica set, the administrator, and one user per service. Safe to run again."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

_TIMEOUT_S = 60.0
_ALREADY_INITIALIZED, _UNAUTHORIZED, _USER_EXISTS, _ROLE_EXISTS, _COLLECTION_EXISTS = 23, 13, 51003, 51002, 48

APPEND_ONLY = {"kuji_vault": "kuji_vault_audit"}
"""Databases to which a service may only add: the audit log beside the vault's own database (R-C7)."""

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
            roles = [{"role": "readWrite", "db": database}, {"role": "dbAdmin", "db": database}]
            try:
                client[database].command("createUser", database, pwd=password, roles=roles)
            except OperationFailure as error:
                if error.code != _USER_EXISTS:
                    raise
            if database in append_only:
                _allow_appending(client, database, append_only[database])


def _allow_appending(client: MongoClient[Mapping[str, Any]], user: str, database: str) -> None:
    """Make the collection `lines`, and let the user find and insert in it: not change, delete, drop or index."""
    actions = {"resource": {"db": database, "collection": "lines"}, "actions": ["find", "insert"]}
    steps: tuple[tuple[str, dict[str, Any], int | None], ...] = (
        (database, {"create": "lines", "validator": {"$jsonSchema": _LINES}}, _COLLECTION_EXISTS),
        (database, {"createRole": "append", "privileges": [actions], "roles": []}, _ROLE_EXISTS),
        (user, {"grantRolesToUser": user, "roles": [{"role": "append", "db": database}]}, None),
    )
    for where, command, expected in steps:
        try:
            client[where].command(command)
        except OperationFailure as error:
            if error.code != expected:
                raise


def _await_primary(client: MongoClient[Mapping[str, Any]]) -> None:
    ends = time.monotonic() + _TIMEOUT_S
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > ends:
            raise TimeoutError("no primary was elected; look at MongoDB's log")
        time.sleep(0.05)


def main() -> None:
    wanted = json.loads(Path("/run/kuji/users.json").read_text("utf-8"))
    try:
        become_primary("mongodb://127.0.0.1:27017/", "mongo:27017", wanted["admin"])
        admin = f"mongodb://admin:{wanted['admin']}@127.0.0.1:27017/?directConnection=true&authSource=admin"
        create_users(admin, wanted["users"])
    except (PyMongoError, TimeoutError) as error:
        sys.exit(f"MongoDB cannot be set up: {type(error).__name__}; see its log and run this again")


if __name__ == "__main__":
    main()
