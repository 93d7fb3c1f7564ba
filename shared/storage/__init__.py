"""MongoDB behind one seam: stores, transactions, inbox and outbox. No other package imports the driver (ADR 0003)."""

from shared.storage.collections import INBOX, OUTBOX, PERSON_TOMBSTONES, TOMBSTONES, Collection, Index
from shared.storage.deletion import delete_in_chunks
from shared.storage.driver import (
    ASCENDING,
    DESCENDING,
    BulkWriteError,
    Database,
    DeleteMany,
    DeleteOne,
    DuplicateKeyError,
    InsertOne,
    MongoCollection,
    ObjectId,
    OperationFailure,
    PyMongoError,
    ReplaceOne,
    ReturnDocument,
    Session,
    StoreUnavailableError,
    UpdateMany,
    UpdateOne,
    documents_of,
    is_unanswered,
    translate_errors,
)
from shared.storage.erased_people import ErasedPeople, hash_name
from shared.storage.exclusive_lease import ExclusiveLease, LeaseError
from shared.storage.outbox import OutboxEntry
from shared.storage.store import TRANSACTION_LIFETIME_S, Store, Work
from shared.storage.tombstones import Tombstone, Tombstones
from shared.storage.work import UnitOfWork, people_filter

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "INBOX",
    "OUTBOX",
    "PERSON_TOMBSTONES",
    "TOMBSTONES",
    "TRANSACTION_LIFETIME_S",
    "BulkWriteError",
    "Collection",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "DuplicateKeyError",
    "ErasedPeople",
    "ExclusiveLease",
    "Index",
    "InsertOne",
    "LeaseError",
    "MongoCollection",
    "ObjectId",
    "OperationFailure",
    "OutboxEntry",
    "PyMongoError",
    "ReplaceOne",
    "ReturnDocument",
    "Session",
    "Store",
    "StoreUnavailableError",
    "Tombstone",
    "Tombstones",
    "UnitOfWork",
    "UpdateMany",
    "UpdateOne",
    "Work",
    "delete_in_chunks",
    "documents_of",
    "hash_name",
    "is_unanswered",
    "people_filter",
    "translate_errors",
]
