"""Count keyed values and errors by person and field: from papers that two people keyed, and from test papers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.vault.papers.rules.keyed_content import FIELDS, KeyedContent, count_errors
from shared.ids import CampaignId
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "keying_counts"


@dataclass(frozen=True)
class KeyerCounts:
    """Counts of one person. `papers` and `tests`: keyed papers; `errors`: wrong values by field."""

    by: str
    papers: int
    tests: int
    fields: int
    errors: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Errors per 1,000 fields."""
        return 1000 * sum(self.errors.values()) / self.fields if self.fields else 0.0


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    count = {"bsonType": "int", "minimum": 0}
    properties = {
        **{name: {"bsonType": "string"} for name in ("_id", "campaign", "by")},
        **dict.fromkeys(("papers", "tests", "fields"), count),
        "errors": {"bsonType": "object", "additionalProperties": count},
    }
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign", "by"],
        "properties": properties,
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"),))]


class CountsRepository:
    """Read and write the counts."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def add(
        self, uow: UnitOfWork, campaign: CampaignId, keyed: Mapping[str, KeyedContent], final: KeyedContent,
        *, kind: str = "papers",
    ) -> None:  # fmt: skip
        """Count each person's keying of one paper against the final content."""
        for person, content in keyed.items():
            errors = {f"errors.{name}": count for name, count in count_errors(content, final).items()}
            change = {kind: 1, "fields": max(1, len(content.sheets)) * len(FIELDS[:-1]), **errors}
            fresh = {"campaign": campaign, "by": person}
            await self._documents.update_one(
                {"_id": f"{campaign}:{person}"}, {"$inc": change, "$setOnInsert": fresh}, upsert=True,
                session=uow.session,
            )  # fmt: skip

    async def of_campaign(self, campaign: CampaignId) -> list[KeyerCounts]:
        """Return the counts of each person, in the order of their ids."""
        found = self._documents.find({"campaign": campaign}).sort("_id", 1)
        return [_counts(document) async for document in found]


def _counts(document: Mapping[str, Any]) -> KeyerCounts:
    return KeyerCounts(
        document["by"],
        document.get("papers", 0),
        document.get("tests", 0),
        document.get("fields", 0),
        document.get("errors", {}),
    )
