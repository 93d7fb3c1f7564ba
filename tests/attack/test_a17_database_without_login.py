"""Attack a17: who reaches the database without a login gets pieces of its heap (CVE-2025-14847), or too much with one.

The stranger sends compressed messages that claim to be longer than they are; a server that takes zlib answers with
what lay behind them. The second attacker has exactly the credentials of a service and tries what it never needs.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from deploy.mongodb.provision import create_users
from shared.errors import ConfigurationError
from shared.storage import Collection, Database, Index, OperationFailure, Store
from shared.storage.server_check import check_server, mistake_of
from tests.support.databases import own_database

_UNAUTHORIZED = 13
_MESSAGE, _COMPRESSED, _ZLIB = 2013, 2012, 2
THINGS = Collection(
    "things",
    {"bsonType": "object", "properties": {"kind": {"enum": ["a", "b"]}}},
    (Index("kind"),),
    retired=("old_1",),
)


def exaggerating_message(length: int) -> bytes:
    """Return a message (OP_COMPRESSED of OP_MSG) whose document claims `length` bytes and holds seven."""
    message = struct.pack("<IBi", 0, 0, length) + b"\x10a\x00\x01\x00\x00\x00"
    body = struct.pack("<iiB", _MESSAGE, length + 500, _ZLIB) + zlib.compress(message)
    return struct.pack("<iiii", 16 + len(body), 1, 0, _COMPRESSED) + body


def answer_of(url: str, message: bytes) -> bytes:
    """Send a message without signing in, and return whatever comes back."""
    where, received = urlsplit(url), b""
    assert where.hostname is not None
    with socket.create_connection((where.hostname, where.port or 27017), timeout=5) as stranger:
        stranger.sendall(message)
        with contextlib.suppress(ConnectionResetError):
            while len(received) < 4 or len(received) < struct.unpack("<i", received[:4])[0]:
                part = stranger.recv(65_536)
                if not part:
                    break
                received += part
    return received


async def test_a_stranger_gets_no_piece_of_the_databases_memory(mongo_url: str) -> None:
    for length in range(20, 4000, 200):
        answer = await asyncio.to_thread(answer_of, mongo_url, exaggerating_message(length))
        assert answer == b"", f"an answer of {len(answer)} bytes to a message of {length}"


async def test_the_servers_of_these_tests_pass_the_check_of_a_start(mongo_url: str, namespace: str) -> None:
    async with Store.open(mongo_url, namespace) as store:
        await check_server(store.db)


async def test_no_service_starts_on_a_server_that_gives_its_memory_away(
    mongo_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raise the first fixed version above this server's, and let it seem to take zlib."""
    async with Store.open(mongo_url, namespace) as store:
        command = store.db.command

        async def taking_zlib(question: Any, *arguments: Any, **options: Any) -> Any:
            answer = await command(question, *arguments, **options)
            if isinstance(question, dict) and "hello" in question:
                return {**answer, "compression": question["compression"]}
            return {**answer, "versionArray": [8, 0, 16, 0]} if question == "buildInfo" else answer

        monkeypatch.setattr(store.db, "command", taking_zlib)
        with pytest.raises(ConfigurationError, match=r"8\.0\.16 .*--networkMessageCompressors"):
            await store.ensure([THINGS])


@pytest.mark.parametrize(
    ("version", "takes_zlib", "refused"),
    [
        ((5, 0, 32), False, True),
        ((6, 0, 5), False, False),
        ((6, 0, 26), True, True),
        ((6, 0, 27), True, False),
        ((7, 0, 27), True, True),
        ((7, 3, 4), True, True),
        ((8, 0, 17), True, False),
        ((8, 1, 9), True, True),
        ((8, 2, 2), True, True),
        ((8, 2, 3), True, False),
        ((8, 3, 0), True, False),
        ((9, 0, 0), True, False),
    ],
)
def test_versions_without_the_repair_are_refused_where_they_take_zlib(
    version: tuple[int, ...], *, takes_zlib: bool, refused: bool
) -> None:
    assert (mistake_of(version, takes_zlib=takes_zlib) is not None) is refused


@pytest.fixture
async def service(mongo_url: str, namespace: str) -> AsyncIterator[Store]:
    """Open the database of a service with the service's own credentials."""
    name, password = f"{namespace}_intake", secrets.token_urlsafe(12)
    create_users(mongo_url, {name: password, f"{namespace}_other": "other"})
    host = urlsplit(mongo_url).netloc.rpartition("@")[2]
    url = f"mongodb://{name}:{password}@{host}/?replicaSet=kuji&authSource={name}"
    async with own_database(mongo_url, name), Store.open(url, name) as store:
        yield store
    with MongoClient[dict[str, Any]](mongo_url) as client:
        for each in (name, f"{namespace}_other"):
            client[each].command("dropUser", each)
            client[each].command("dropAllRolesFromDatabase")


async def test_a_service_can_do_with_its_credentials_what_its_start_and_its_work_need(service: Store) -> None:
    await service.ensure([Collection("things", indexes=(Index("old"),))])
    await service.ensure([THINGS])
    assert set(await service.db["things"].index_information()) == {"_id_", "kind_1"}
    await service.db["things"].insert_one({"_id": 1, "kind": "a"})
    await service.transact(
        lambda uow: uow.db["things"].update_one({"_id": 1}, {"$set": {"kind": "b"}}, session=uow.session)
    )
    assert await service.db["things"].count_documents({"kind": "b"}) == 1
    assert (await service.db["things"].delete_many({})).deleted_count == 1
    assert await service.time() is not None


def _elsewhere(db: Database) -> Database:
    return db.client[db.name.replace("_intake", "_other")]


ATTEMPTS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "write past the rule": lambda db: db.command(
        {"insert": "things", "documents": [{"kind": "x"}], "bypassDocumentValidation": True}
    ),
    "drop a collection": lambda db: db.command({"drop": "things"}),
    "drop the database": lambda db: db.command({"dropDatabase": 1}),
    "rename a collection": lambda db: db.client.admin.command(
        {"renameCollection": f"{db.name}.things", "to": f"{db.name}.other"}
    ),
    "cap a collection": lambda db: db.command({"convertToCapped": "things", "size": 4096}),
    "profile": lambda db: db.command({"profile": 2}),
    "read the profile": lambda db: db["system.profile"].find_one(),
    "see what others do": lambda db: db.client.admin.command({"currentOp": 1, "$all": True}),
    "end another's work": lambda db: db.client.admin.command({"killOp": 1, "op": 1}),
    "list databases' users": lambda db: db.command({"usersInfo": {"forAllDBs": True}}),
    "make a user": lambda db: db.command({"createUser": "x", "pwd": "x", "roles": []}),
    "make a role": lambda db: db.command({"createRole": "x", "privileges": [], "roles": []}),
    "grant itself more": lambda db: db.command({"grantRolesToUser": db.name, "roles": ["dbOwner"]}),
    "widen its role": lambda db: db.command(
        {"grantPrivilegesToRole": "service", "privileges": [
            {"resource": {"db": db.name, "collection": ""}, "actions": ["dropCollection"]},
        ]}
    ),
    "read another service": lambda db: _elsewhere(db)["things"].find_one(),
    "write to another service": lambda db: _elsewhere(db)["things"].insert_one({"kind": "a"}),
    "copy into another service": lambda db: db["things"].aggregate(
        [{"$out": {"db": _elsewhere(db).name, "coll": "things"}}]
    ).to_list(1),
    "read the oplog": lambda db: db.client["local"]["oplog.rs"].find_one(),
    "read the settings": lambda db: db.client["config"]["system.sessions"].find_one(),
    "read the accounts": lambda db: db.client["admin"]["system.users"].find_one(),
    "change a parameter": lambda db: db.client.admin.command({"setParameter": 1, "logLevel": 5}),
    "read the log": lambda db: db.client.admin.command({"getLog": "global"}),
    "stop the server": lambda db: db.client.admin.command({"shutdown": 1}),
    "watch changes everywhere": lambda db: db.client.admin.command(
        {"aggregate": 1, "pipeline": [{"$changeStream": {"allChangesForCluster": True}}], "cursor": {}}
    ),
}  # fmt: skip


async def test_a_service_can_do_nothing_else_with_its_credentials(service: Store) -> None:
    await service.ensure([THINGS])
    await service.db["things"].insert_one({"_id": 1, "kind": "a"})
    for name, attempt in ATTEMPTS.items():
        with pytest.raises(OperationFailure) as refusal:
            await attempt(service.db)
        assert refusal.value.code == _UNAUTHORIZED, name
    assert await service.db["things"].count_documents({}) == 1


async def test_provisioning_again_takes_away_what_an_earlier_version_allowed(service: Store, mongo_url: str) -> None:
    await service.ensure([THINGS])
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client[service.db.name].command({"grantRolesToUser": service.db.name, "roles": ["dbAdmin"]})
    create_users(mongo_url, {service.db.name: "unchanged"})
    with pytest.raises(OperationFailure) as refusal:
        await service.db.command({"drop": "things"})
    assert refusal.value.code == _UNAUTHORIZED
