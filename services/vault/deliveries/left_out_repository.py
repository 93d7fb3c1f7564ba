"""Store which applicants are told after the draw that their application was not in it. No person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.ids import CampaignId, Token
from shared.storage import Collection, Index, Store, UnitOfWork, UpdateOne

COLLECTION: Final = "left_out"

LeftOutKind = Literal["same-person", "undecided"]
LeftOutContact = Literal["mail", "post", "telephone"]


@dataclass(frozen=True)
class LeftOut:
    """Notice to an applicant whose application was not in the draw: its kind, and the way by which it goes.

    `n`: number of the result slips of that draw, 0 where it is not known. A slip with this number or a higher one says
    more; one with a lower number is of a draw before. It is no difference between two notices.
    """

    kind: LeftOutKind
    contact: LeftOutContact
    n: int = field(default=0, compare=False)


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    properties = {
        "_id": {"bsonType": "string"},
        "campaign": {"bsonType": "string"},
        "kind": {"enum": ["same-person", "undecided"]},
        "contact": {"enum": ["mail", "post", "telephone"]},
    }
    schema = {
        "bsonType": "object",
        "required": list(properties),
        "properties": {**properties, "n": {"bsonType": ["int", "long"]}},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"),))]


class LeftOutRepository:
    """Keep the applicants to tell, by token; there are none before a draw is published."""

    def __init__(self, store: Store) -> None:
        self._rows = store.db[COLLECTION]

    async def among(self, tokens: Sequence[Token], uow: UnitOfWork | None = None) -> dict[Token, LeftOut]:
        """Return those of these applicants who are told."""
        found = self._rows.find({"_id": {"$in": list(tokens)}}, session=uow.session if uow else None)
        return {Token(row["_id"]): LeftOut(row["kind"], row["contact"], row.get("n", 0)) async for row in found}

    async def of_campaign(self, campaign: CampaignId, uow: UnitOfWork | None = None) -> dict[Token, LeftOut]:
        """Return all applicants who are told."""
        found = self._rows.find({"campaign": campaign}, session=uow.session if uow else None)
        return {Token(row["_id"]): LeftOut(row["kind"], row["contact"], row.get("n", 0)) async for row in found}

    async def put(self, uow: UnitOfWork, campaign: CampaignId, notified: Mapping[Token, LeftOut]) -> None:
        """Add applicants, or write another kind or way for known ones."""
        if notified:
            writes = [
                UpdateOne({"_id": token}, {"$set": {"campaign": campaign, **vars(left_out)}}, upsert=True)
                for token, left_out in notified.items()
            ]
            await self._rows.bulk_write(writes, ordered=False, session=uow.session)

    async def remove(self, uow: UnitOfWork, tokens: Iterable[Token]) -> None:
        """Remove applicants whose application is in the draw now, or who share no address any more."""
        await self._rows.delete_many({"_id": {"$in": list(tokens)}}, session=uow.session)
