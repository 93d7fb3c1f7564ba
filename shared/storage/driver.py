"""The seam to the MongoDB driver: the only file that imports motor, pymongo and bson (ADR 0003).

motor's maintenance has ended in favour of PyMongo's own asyncio API, which has the same shape; the move is
an edit of this file and of nothing else.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import pymongo
from bson import ObjectId, decode_all
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import (
    ASCENDING,
    DESCENDING,
    DeleteMany,
    DeleteOne,
    IndexModel,
    InsertOne,
    ReplaceOne,
    ReturnDocument,
    UpdateMany,
    UpdateOne,
)
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.errors import TransientError

# Text, because the driver's classes take type arguments in their stubs only.
Database: TypeAlias = "AsyncIOMotorDatabase[dict[str, Any]]"
MongoCollection: TypeAlias = "AsyncIOMotorCollection[dict[str, Any]]"
Client: TypeAlias = "AsyncIOMotorClient[dict[str, Any]]"
Session = AsyncIOMotorClientSession

MAJORITY = WriteConcern("majority", j=True)
SNAPSHOT = ReadConcern("snapshot")

_NAMESPACE_EXISTS = 48
_HEARTBEAT_S, _SILENT_S = 2.0, 5.0
"""Pause between two heartbeats of a member, and the longest wait for one; together well below an election's end."""

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "MAJORITY",
    "SNAPSHOT",
    "BulkWriteError",
    "Client",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "DuplicateKeyError",
    "IndexModel",
    "InsertOne",
    "MongoCollection",
    "ObjectId",
    "OperationFailure",
    "PyMongoError",
    "ReplaceOne",
    "ReturnDocument",
    "Session",
    "StoreUnavailableError",
    "UpdateMany",
    "UpdateOne",
    "already_exists",
    "connect",
    "documents_of",
    "is_unanswered",
    "may_commit_again",
    "may_run_again",
    "step_timeout",
    "translate_errors",
]


class StoreUnavailableError(TransientError):
    """Raised when the database does not answer in time, has no primary, or had no turn for a transaction.

    The work may be repeated shortly.
    """


def connect(url: str, timeout_s: float) -> Client:
    """Return a client whose waits all end: choosing a server, connecting, a place in the pool, an answer.

    Writes are acknowledged by a majority and its journals; times come back aware. The primary answers every read, also
    where the URL asks for another read preference: a decision must not rest on a member that is behind.

    A member that is frozen keeps its connections: after `_HEARTBEAT_S` and `_SILENT_S` without a heartbeat the driver
    takes back the calls that wait for it, in time for the member that is elected meanwhile.
    """
    limit = int(timeout_s * 1000)
    return AsyncIOMotorClient(
        url,
        serverSelectionTimeoutMS=limit,
        connectTimeoutMS=min(limit, int(_SILENT_S * 1000)),
        heartbeatFrequencyMS=int(_HEARTBEAT_S * 1000),
        socketTimeoutMS=2 * limit,
        waitQueueTimeoutMS=limit,
        timeoutMS=limit,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        tz_aware=True,
        uuidRepresentation="standard",
        appname="kuji",
    )


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise StoreUnavailableError where no server answered, or took a transaction back; other errors propagate."""
    try:
        yield
    except PyMongoError as error:
        if may_run_again(error) and not is_unanswered(error):
            raise StoreUnavailableError(f"the database is busy with the same ({type(error).__name__})") from None
        if not is_unanswered(error):
            raise
        raise StoreUnavailableError(f"the database did not answer ({type(error).__name__}); see that it runs") from None


def step_timeout(timeout_s: float) -> AbstractContextManager[Any]:
    """Give the calls within the block another timeout than the client's."""
    return pymongo.timeout(timeout_s)


def is_unanswered(error: PyMongoError) -> bool:
    """Return True if the driver reports that no server answered, so that the work may be repeated shortly."""
    return error.timeout or isinstance(error, (ConnectionFailure, ExecutionTimeout, WTimeoutError))


def may_run_again(error: PyMongoError) -> bool:
    """Return True if the transaction was rolled back as a whole, so that it may run again."""
    return error.has_error_label("TransientTransactionError")


def may_commit_again(error: PyMongoError) -> bool:
    """Return True if only the answer to the commit was lost; committing is idempotent."""
    return error.has_error_label("UnknownTransactionCommitResult")


def documents_of(batch: bytes) -> list[dict[str, Any]]:
    """Return the documents of a raw batch (`find_raw_batches`), which a thread may decode beside the event loop."""
    return decode_all(batch)


def already_exists(error: OperationFailure) -> bool:
    return error.code == _NAMESPACE_EXISTS
