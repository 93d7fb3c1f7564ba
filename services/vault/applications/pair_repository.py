"""Store doubts: two contents by their keyed hashes, the level of each field, and the decision. Nothing personal."""

from collections.abc import Collection as AnyCollection
from collections.abc import Iterable
from typing import Final

from services.vault.applications.rules.pairs import Pair
from shared.ids import CampaignId
from shared.storage import Collection, Index, Store, UnitOfWork, UpdateOne

COLLECTION: Final = "doubts"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    properties = {
        "_id": {"bsonType": "string"},
        "campaign": {"bsonType": "string"},
        "contents": {"bsonType": "array", "minItems": 2, "maxItems": 2},
        "levels": {"bsonType": "object"},
        "bits": {"bsonType": "double"},
        "found_at": {"bsonType": "date"},
        "decision": {"bsonType": ["object", "null"]},
        "changes": {"bsonType": "int"},
    }
    schema = {
        "bsonType": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"), Index("contents")))]


class PairRepository:
    """Read and write the doubts of a campaign."""

    def __init__(self, store: Store) -> None:
        self._documents = store.db[COLLECTION]

    async def connected(self, uow: UnitOfWork, campaign: CampaignId, contents: Iterable[str]) -> list[Pair]:
        """Return all doubts that hang together with these contents, through other contents, too."""
        pairs: dict[frozenset[str], Pair] = {}
        seen, frontier = set(contents), set(contents)
        while frontier:
            found = [pair for pair in await self._of(uow, campaign, frontier) if pair.contents not in pairs]
            pairs |= {pair.contents: pair for pair in found}
            frontier = {content for pair in found for content in pair.contents} - seen
            seen |= frontier
        return sorted(pairs.values(), key=lambda pair: (pair.first, pair.second))

    async def all(self, campaign: CampaignId, uow: UnitOfWork | None = None) -> list[Pair]:
        """Return all doubts of a campaign, in the order in which they were found."""
        found = self._documents.find({"campaign": campaign}, session=uow.session if uow else None)
        return [Pair.from_document(document) async for document in found.sort([("found_at", 1), ("_id", 1)])]

    async def write(
        self, uow: UnitOfWork, campaign: CampaignId, changed: AnyCollection[Pair], read: AnyCollection[Pair]
    ) -> None:
        """Write doubts; those only read are written, too, so that transactions that judge by one of them conflict."""
        writes = []
        for pair in {one.contents: one for one in (*read, *changed)}.values():
            values = {**pair.to_document(), "campaign": campaign}
            key = {"_id": f"{campaign}:{pair.first}:{pair.second}"}
            writes.append(UpdateOne(key, {"$set": values, "$inc": {"changes": 1}}, upsert=True))
        if writes:
            await self._documents.bulk_write(writes, ordered=False, session=uow.session)

    async def _of(self, uow: UnitOfWork, campaign: CampaignId, contents: AnyCollection[str]) -> list[Pair]:
        query = {"campaign": campaign, "contents": {"$in": list(contents)}}
        return [Pair.from_document(one) async for one in self._documents.find(query, session=uow.session)]
