"""Namespaces that tests of one file use one after another.

To make a service's collections, indexes and queues anew takes more processor time than most tests, so a test that
passed leaves them empty to the next of its file. One that failed may have left anything: its namespace is not used
again. What a file used is removed when the process comes to another file.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aio_pika
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from shared.messaging.topology import RETRY_DELAYS_S, declare, describe, remove

FAILED: Final = pytest.StashKey[bool]()
"""Says of a test that one of its phases failed."""

_REST: Final = 1
"""Namespaces that rest before one is used again: what comes late then finds no test."""

_LOCKED_S: Final = 60
"""Time for which emptying is repeated: a process that was killed in a transaction keeps its locks for some seconds."""

_used_again: Final = set[str]()
_declared: Final = set[tuple[str, str, tuple[int, ...]]]()


@dataclass
class _File:
    """The test file whose tests run now, its namespaces that no test has, and the database server it met."""

    path: Path | None = None
    resting: deque[str] = field(default_factory=deque)
    database_server: MongoClient[Any] | None = None


_file: Final = _File()


def new_namespace() -> str:
    """Return a name that no other test has."""
    return f"t{secrets.token_hex(4)}"


@contextmanager
def lend_namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace that tests of this file use one after another."""
    item: pytest.Item = request.node
    if item.path != _file.path:
        remove_resting()
        _file.path = item.path
    if "mongo_url" in item.fixturenames and _file.database_server is None:  # type: ignore[attr-defined]
        _file.database_server = MongoClient(request.getfixturevalue("mongo_url"))
    name = _file.resting.popleft() if len(_file.resting) > _REST else new_namespace()
    _used_again.add(name)
    yield name
    if item.stash.get(FAILED, False):
        _remove({name})
    else:
        for database in _databases({name}):
            _empty(database)
        _file.resting.append(name)


def _databases(names: AbstractSet[str]) -> list[Database[Any]]:
    """Return the databases of these namespaces."""
    client = _file.database_server
    if client is None or not names:
        return []
    known = client.list_databases(nameOnly=True, filter={"name": {"$regex": f"^({'|'.join(names)})_"}})
    return [client[each["name"]] for each in known]


def _empty(database: Database[Any]) -> None:
    """Delete all documents; collections, rules and indexes stay. Waits for locks of a process that was killed."""
    for name in database.list_collection_names(filter={"type": "collection"}):
        if name.startswith("system."):  # a profile: only the server writes it, and only dropping is allowed
            database.command({"profile": 0})
            database.drop_collection(name)
            continue
        end = time.monotonic() + _LOCKED_S
        while True:
            try:
                database[name].delete_many({})
                break
            except PyMongoError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def remove_resting() -> None:
    """Remove queues and databases that no test uses again; the servers must still run."""
    names, _file.resting = set(_file.resting), deque()
    _remove(names)


def _remove(names: AbstractSet[str]) -> None:
    _used_again.difference_update(names)
    for key in [key for key in _declared if key[1] in names]:
        _declared.discard(key)
        asyncio.run(remove(key[0], key[1], retry_delays_s=key[2]))
    for database in _databases(names):
        database.client.drop_database(database.name)


def is_used_again(namespace: str) -> bool:
    """Return True where the next test wants the collections and queues as they are, but empty."""
    return namespace in _used_again


async def declare_queues(url: str, namespace: str, delays_s: Sequence[int] = RETRY_DELAYS_S) -> None:
    """Declare the topology, unless the test before left it."""
    key = (url, namespace, tuple(delays_s))
    if key not in _declared:
        await declare(url, namespace, retry_delays_s=delays_s)
        if is_used_again(namespace):
            _declared.add(key)


async def leave_queues(url: str, namespace: str, delays_s: Sequence[int] = RETRY_DELAYS_S) -> None:
    """Empty the queues for the next test, or remove them where none uses them again. Their consumers have ended."""
    if not is_used_again(namespace):
        await remove(url, namespace, retry_delays_s=delays_s)
        return
    async with await aio_pika.connect(url, timeout=10) as connection, connection.channel() as channel:
        for queue in describe(namespace, delays_s).queues:
            await (await channel.get_queue(queue.name, ensure=False)).purge()
