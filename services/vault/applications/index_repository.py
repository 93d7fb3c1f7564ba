"""Store the blind index: keyed hashes of name + phone and name + address, by the first application that has them."""

from collections.abc import Collection as AnyCollection
from collections.abc import Iterable, Mapping
from typing import Final

from shared.ids import ApplicationId, CampaignId
from shared.storage import Collection, Index, UnitOfWork

COLLECTION: Final = "blind_index"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    names = ("_id", "campaign", "kind", "application_id")
    schema = {
        "bsonType": "object",
        "required": list(names),
        "properties": {**{name: {"bsonType": "string"} for name in names}, "matches": {"bsonType": "int"}},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"),), retired=("application_id_1",))]


class BlindIndexRepository:
    """Read and write one campaign's blind index within a unit of work."""

    def __init__(self, uow: UnitOfWork, campaign: CampaignId) -> None:
        self._uow, self._campaign = uow, campaign
        self._documents = uow.db[COLLECTION]

    async def owners(self, hashes: Iterable[str]) -> dict[str, ApplicationId]:
        """Return the application that registered each hash; unregistered hashes are absent."""
        ids = {self._id(value): value for value in hashes}
        found = self._documents.find({"_id": {"$in": list(ids)}}, session=self._uow.session)
        return {ids[document["_id"]]: document["application_id"] async for document in found}

    async def insert(self, owners: Mapping[str, tuple[str, ApplicationId]]) -> None:
        """Insert hash → kind and application. Of two rivals one transaction fails on the unique id and starts over."""
        documents = [
            {"_id": self._id(value), "campaign": self._campaign, "kind": kind, "application_id": application_id}
            for value, (kind, application_id) in owners.items()
        ]
        if documents:
            await self._documents.insert_many(documents, session=self._uow.session)

    async def remove(self, hashes: AnyCollection[str]) -> None:
        """Delete hashes whose application no longer has them."""
        if hashes:
            ids = [self._id(value) for value in hashes]
            await self._documents.delete_many({"_id": {"$in": ids}}, session=self._uow.session)

    async def count_matches(self, hashes: AnyCollection[str]) -> None:
        """Write the hashes that a verdict relied on, so that it conflicts with a transaction that removes them."""
        if hashes:
            ids = [self._id(value) for value in hashes]
            change = {"$inc": {"matches": 1}}
            await self._documents.update_many({"_id": {"$in": ids}}, change, session=self._uow.session)

    def _id(self, value: str) -> str:
        return f"{self._campaign}:{value}"
