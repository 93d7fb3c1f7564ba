"""Declarations of collections, and the two that all services have: inbox and outbox (ADR 0004)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.storage.driver import Database, IndexModel, OperationFailure, already_exists

INBOX: Final = "inbox"
OUTBOX: Final = "outbox"
TOMBSTONES: Final = "tombstones"
PERSON_TOMBSTONES: Final = "person_tombstones"


@dataclass(frozen=True)
class Index:
    """`keys`: pairs of field and direction (1 or -1), or one field's name. Every "once" of the domain is `unique`.

    `where` limits the index to documents that match; `expire_after_s` lets documents go by themselves.
    """

    keys: str | tuple[tuple[str, int], ...]
    unique: bool = False
    where: Mapping[str, Any] | None = None
    expire_after_s: int | None = None

    def model(self) -> IndexModel:
        options: dict[str, Any] = {"unique": self.unique} if self.unique else {}
        if self.where is not None:
            options["partialFilterExpression"] = dict(self.where)
        if self.expire_after_s is not None:
            options["expireAfterSeconds"] = self.expire_after_s
        return IndexModel(self.keys if isinstance(self.keys, str) else list(self.keys), **options)


@dataclass(frozen=True)
class Collection:
    """A collection of a service: its name, the JSON schema every document must meet, its indexes.

    `validator` is the schema itself (`{"bsonType": "object", …}`) or a whole filter (`{"$jsonSchema": …}`).
    `retired`: names of indexes that earlier versions made and that would now be in the way.
    """

    name: str
    validator: Mapping[str, Any] | None = None
    indexes: tuple[Index, ...] = ()
    retired: tuple[str, ...] = ()

    def rule(self) -> dict[str, Any]:
        if self.validator is None:
            return {}
        whole = any(key.startswith("$") for key in self.validator)
        return dict(self.validator) if whole else {"$jsonSchema": dict(self.validator)}


MESSAGE_COLLECTIONS: Final = (
    Collection(
        INBOX,
        {
            "bsonType": "object",
            "required": ["_id", "at", "campaign"],
            "properties": {"_id": {"bsonType": "string"}, "campaign": {"bsonType": ["string", "null"]}},
        },
        retired=("at_1",),
    ),
    Collection(
        OUTBOX,
        {
            "bsonType": "object",
            "required": ["event_id", "name", "body", "at", "leased_until"],
            "properties": {
                "event_id": {"bsonType": "string"},
                "campaign": {"bsonType": ["string", "null"]},
                "name": {"bsonType": "string"},
                "body": {"bsonType": "binData"},
                "leased_until": {"bsonType": "date"},
                "publisher": {"bsonType": "string"},
                "key": {"bsonType": "string"},
                "signature": {"bsonType": "string"},
            },
        },
    ),
    Collection(
        TOMBSTONES,
        {
            "bsonType": "object",
            "additionalProperties": False,
            "required": ["_id", "erasure_id", "campaign_sha256", "at", "dropped"],
            "properties": {
                "_id": {"bsonType": "string"},
                "erasure_id": {"bsonType": "string"},
                "campaign_sha256": {"bsonType": "string"},
                "at": {"bsonType": "date"},
                "dropped": {"bsonType": ["int", "long"], "minimum": 0},
            },
        },
    ),
    Collection(
        PERSON_TOMBSTONES,
        {
            "bsonType": "object",
            "additionalProperties": False,
            "required": ["_id", "campaign", "names", "at", "dropped"],
            "properties": {
                "_id": {"bsonType": "string"},
                "campaign": {"bsonType": "string"},
                "names": {"bsonType": "array", "items": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$"}},
                "at": {"bsonType": "date"},
                "dropped": {"bsonType": ["int", "long"], "minimum": 0},
            },
        },
        (Index("campaign"),),
    ),
)
"""An inbox line lives until its campaign is erased; an outbox line lives until the broker confirmed it."""


async def ensure(db: Database, collection: Collection) -> None:
    """Create the collection or bring its rule up to date, and create its indexes. Safe to run at every start.

    A new index needs a majority of the members, not all: an upgrade starts while one member is down.
    """
    rule = collection.rule()
    try:
        await db.command({"create": collection.name, "validator": rule})
    except OperationFailure as error:
        if not already_exists(error):
            raise
        if await _rule_in_force(db, collection.name) != rule:
            await db.command({"collMod": collection.name, "validator": rule, "validationLevel": "strict"})
    for name in set(collection.retired) & set(await db[collection.name].index_information()):
        await db[collection.name].drop_index(name)
    if collection.indexes:
        await db[collection.name].create_indexes(
            [index.model() for index in collection.indexes], commitQuorum="majority"
        )


async def _rule_in_force(db: Database, name: str) -> Any:
    """Looked at before it is changed: changing waits for the locks of a process killed in its transaction."""
    answer = await db.command({"listCollections": 1, "filter": {"name": name}})
    return answer["cursor"]["firstBatch"][0].get("options", {}).get("validator", {})
