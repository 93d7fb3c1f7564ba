"""Store the blind index: keyed hashes of blocks, each with the contents (keyed hashes, too) that are in it."""

from collections.abc import Collection as AnyCollection
from collections.abc import Mapping
from typing import Final

from shared.ids import CampaignId
from shared.storage import Collection, Index, UnitOfWork, UpdateOne

COLLECTION: Final = "blind_index"


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    names = ("_id", "campaign", "kind")
    schema = {
        "bsonType": "object",
        "required": [*names, "contents", "changes"],
        "properties": {
            **{name: {"bsonType": "string"} for name in names},
            "contents": {"bsonType": "array"},
            "changes": {"bsonType": "int"},
        },
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"), Index("contents")), retired=("application_id_1",))]


class BlindIndexRepository:
    """Read and write one campaign's blind index within a unit of work."""

    def __init__(self, uow: UnitOfWork, campaign: CampaignId) -> None:
        self._uow, self._campaign = uow, campaign
        self._documents = uow.db[COLLECTION]

    async def contents(self, blocks: AnyCollection[str]) -> dict[str, set[str]]:
        """Return block → contents in it; unknown blocks are absent."""
        ids = {self._id(block): block for block in blocks}
        found = self._documents.find({"_id": {"$in": list(ids)}}, session=self._uow.session)
        return {ids[document["_id"]]: set(document["contents"]) async for document in found}

    async def add(self, blocks_of: Mapping[str, Mapping[str, str]]) -> None:
        """Put contents into their blocks; `blocks_of`: content → block → kind.

        Each block is written even if the content is in it: two transactions about one block conflict, and one of them
        starts over, so that neither judges by what the other changes.
        """
        kinds = {block: kind for blocks in blocks_of.values() for block, kind in blocks.items()}
        members: dict[str, list[str]] = {block: [] for block in kinds}
        for content, blocks in blocks_of.items():
            for block in blocks:
                members[block].append(content)
        writes = [
            UpdateOne(
                {"_id": self._id(block)},
                {
                    "$addToSet": {"contents": {"$each": contents}},
                    "$inc": {"changes": 1},
                    "$setOnInsert": {"campaign": self._campaign, "kind": kinds[block]},
                },
                upsert=True,
            )
            for block, contents in members.items()
        ]
        if writes:
            await self._documents.bulk_write(writes, ordered=False, session=self._uow.session)

    async def remove(self, contents: AnyCollection[str]) -> None:
        """Take contents that no application has any more out of their blocks; empty blocks go."""
        if contents:
            gone = list(contents)
            members = {"contents": {"$in": gone}}
            change = {"$pull": {"contents": {"$in": gone}}, "$inc": {"changes": 1}}
            blocks = [row["_id"] async for row in self._documents.find(members, {"_id": 1}, session=self._uow.session)]
            await self._documents.update_many(members, change, session=self._uow.session)
            await self._documents.delete_many({"_id": {"$in": blocks}, "contents": []}, session=self._uow.session)

    def _id(self, block: str) -> str:
        return f"{self._campaign}:{block}"
