"""Store the draw of each campaign that was published last, so that the vault finds whom it left out. No person."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.contracts import DrawPublished
from shared.ids import CampaignId, DrawId
from shared.slip_numbers import draw_of_result, number_of_draw, slip_number
from shared.storage import Collection, Index, Store, UnitOfWork

COLLECTION: Final = "published_draws"


@dataclass(frozen=True)
class PublishedDraw:
    """Last published draw of a whole list. `entries`: entries of its list, each of which has a slip of this draw.

    `published` and `given_up`: highest number of a draw, also of a further round, that was published or given up.
    `is_complete`: all slips of the draw arrived. `erased`: slips of this draw whose people were erased.
    """

    number: int
    entries: int
    published: int
    given_up: int
    is_complete: bool
    erased: int

    @property
    def n(self) -> int:
        """Number of the draw's result slips."""
        return slip_number(self.number, 0)

    @property
    def stands(self) -> bool:
        """False while another draw is made in its place: its list may have those whom this one left out."""
        return self.published > self.given_up


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    number = {"bsonType": ["int", "long"]}
    schema = {
        "bsonType": "object",
        "required": ["_id", "campaign"],
        "properties": {
            "_id": {"bsonType": "string"},
            "campaign": {"bsonType": "string"},
            **dict.fromkeys(("number", "entries", "published", "given_up"), number),
            "complete": {"bsonType": "bool"},
            "erased": {"bsonType": "object", "additionalProperties": number},
        },
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema, (Index("campaign"),))]


class PublishedDrawRepository:
    """Keep one document for each campaign; numbers of draws only rise, in whatever order events arrive."""

    def __init__(self, store: Store) -> None:
        self._draws = store.db[COLLECTION]

    async def find(self, campaign: CampaignId, uow: UnitOfWork | None = None) -> PublishedDraw | None:
        """Return the last published draw of a whole list; None before one whose number of entries is known."""
        row = await self._draws.find_one({"_id": campaign}, session=uow.session if uow else None)
        if row is None or "entries" not in row:
            return None
        return PublishedDraw(
            number=row["number"],
            entries=row["entries"],
            published=row["published"],
            given_up=row.get("given_up", 0),
            is_complete=row.get("complete", False),
            erased=row.get("erased", {}).get(str(row["number"]), 0),
        )

    async def add_published(self, uow: UnitOfWork, event: DrawPublished) -> None:
        """Record that a draw is published; a further round changes neither list nor slips of the draw before it."""
        number = number_of_draw(event.draw)
        await self._raise(uow, event.campaign, {"published": number})
        if event.entries is not None:
            older = {"_id": event.campaign, "$or": [{"number": {"$exists": False}}, {"number": {"$lt": number}}]}
            values = {"number": number, "entries": event.entries, "complete": False}
            await self._draws.update_one(older, {"$set": values}, session=uow.session)

    async def add_given_up(self, uow: UnitOfWork, campaign: CampaignId, draw: DrawId) -> None:
        """Record that a draw was given up; the next one follows it."""
        await self._raise(uow, campaign, {"given_up": number_of_draw(draw)})

    async def set_complete(self, uow: UnitOfWork, campaign: CampaignId) -> None:
        """Record that all slips of the draw arrived."""
        await self._draws.update_one({"_id": campaign}, {"$set": {"complete": True}}, session=uow.session)

    async def count_erased(self, uow: UnitOfWork, campaign: CampaignId, numbers: Iterable[int]) -> None:
        """Count slips of erased people by their draw, which may not be published yet; changes after a draw are none.

        Whoever calls it removes the slips in the same transaction, or is the handler of the event that names them.
        """
        of_draws = Counter(draw for n in numbers if (draw := draw_of_result(n)) is not None)
        if of_draws:
            added = {f"erased.{draw}": count for draw, count in of_draws.items()}
            change = {"$setOnInsert": {"campaign": campaign}, "$inc": added}
            await self._draws.update_one({"_id": campaign}, change, upsert=True, session=uow.session)

    async def _raise(self, uow: UnitOfWork, campaign: CampaignId, numbers: Mapping[str, Any]) -> None:
        change = {"$setOnInsert": {"campaign": campaign}, "$max": numbers}
        await self._draws.update_one({"_id": campaign}, change, upsert=True, session=uow.session)
