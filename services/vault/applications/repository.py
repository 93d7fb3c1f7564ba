"""The register of applications: states, choices and verdicts by application id, no person. Also the state table."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.contracts import Choice, Refusal
from shared.ids import ApplicationId, CampaignId
from shared.storage import Collection, Index, MongoCollection, Store, UnitOfWork

COLLECTION = "applications"

AFTER: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"accepted", "held", "rejected"}),
    "held": frozenset({"accepted", "rejected"}),
    "accepted": frozenset(),
    "rejected": frozenset(),
}
"""Where a state may lead; the empty state is before the vault saw the application."""


def collections() -> list[Collection]:
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "receipt", "channel", "state", "revision", "received_at"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            "receipt": {"bsonType": "string"},
            "channel": {"enum": ["web", "fax", "post"]},
            "state": {"enum": ["accepted", "held", "rejected"]},
            "token": {"bsonType": ["string", "null"]},
            "contact": {"enum": ["mail", "post", None]},
            "mail_domain_class": {"bsonType": ["string", "null"]},
            "choices": {"bsonType": "array"},
            "refused": {"bsonType": "array"},
            "reasons": {"bsonType": "array"},
            "doubts": {"bsonType": "array"},
            "match": {"bsonType": ["object", "null"]},
            "revision": {"bsonType": "int", "minimum": 1},
            "received_at": {"bsonType": "date"},
            "decided_by": {"bsonType": "string"},
        },
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index((("campaign", 1), ("state", 1))), Index("token")))]


def choices_of(document: Mapping[str, Any]) -> tuple[Choice, ...]:
    return tuple(Choice(**each) for each in document["choices"])


def refused_of(document: Mapping[str, Any]) -> tuple[Refusal, ...]:
    return tuple(Refusal(**each) for each in document["refused"])


async def known_ids(uow: UnitOfWork, ids: Sequence[ApplicationId]) -> set[ApplicationId]:
    """Which of these the vault has judged already: a replay of sealed bytes ends here."""
    cursor = uow.db[COLLECTION].find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=uow.session)
    return {document["_id"] async for document in cursor}


async def summary(store: Store, campaign: CampaignId) -> dict[str, dict[str, int]]:
    """Counts by state, by arrival channel and by reason of rejection."""
    documents = store.db[COLLECTION]
    return {
        "applications": await _counts(documents, campaign, "$state"),
        "channels": await _counts(documents, campaign, "$channel"),
        "reasons": await _counts(documents, campaign, "$reasons", unwind=True),
    }


async def _counts(
    documents: MongoCollection, campaign: CampaignId, field: str, *, unwind: bool = False
) -> dict[str, int]:
    pipeline: list[dict[str, Any]] = [
        {"$match": {"campaign": campaign}},
        *([{"$unwind": field}] if unwind else []),
        {"$group": {"_id": field, "count": {"$sum": 1}}},
    ]
    return {str(row["_id"]): int(row["count"]) async for row in documents.aggregate(pipeline)}
