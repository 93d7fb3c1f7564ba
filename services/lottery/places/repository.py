"""Store places. Every change of a place is also an event of the history (`history_repository`)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.rules.result import Result
from services.lottery.places.stored_place import StoredPlace, places_of_result
from services.lottery.promotion.states import AFTER, BEFORE, TAKES_SEATS, Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from shared.codes import EntryId
from shared.ids import CampaignId, ClassId, DrawId, Receipt
from shared.storage import Collection, Index, ReplaceOne, Store, UnitOfWork, UpdateOne

PLACES, HISTORY = "places", "history"
PERSONAL: Final = (PLACES,)
"""Collections that an erasure empties. The history contains no person and stays with the transcript."""

_BY_POSITION: Final = [("position", 1)]
_BY_CLASS: Final = [("class_id", 1), ("position", 1), ("_id", 1)]


def collections() -> list[Collection]:
    """Return the collections of places and their history, with indexes."""
    place = {
        "bsonType": "object",
        "required": ["_id", "campaign", "draw", "entry", "class_id", "seats", "receipt", "state"],
        "properties": {
            "seats": {"bsonType": "int", "minimum": 1},
            "state": {"enum": list(PlaceState)},
            "position": {"bsonType": ["int", "null"]},
            "answer_by": {"bsonType": ["date", "null"]},
            "why": {"enum": [*Move, None]},
            "gone_at": {"bsonType": ["date", "null"]},
            "reason": {"bsonType": ["string", "null"]},
        },
    }
    queue = Index((("draw", 1), ("class_id", 1), ("state", 1), ("position", 1)))
    owner = (Index((("draw", 1), ("receipt", 1))), Index((("draw", 1), ("entry", 1))), Index("campaign"))
    numbered = Index((("draw", 1), ("seq", 1)), unique=True)
    return [Collection(PLACES, place, (queue, *owner)), Collection(HISTORY, None, (numbered,))]


class PlaceRepository:
    """Reads and writes places, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._places = at.db[PLACES]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def add_results(self, campaign: CampaignId, draw: DrawId, results: Iterable[Result]) -> None:
        """Add the places of these results. They replace places of a draw that was corrected."""
        await self.add([place for result in results for place in places_of_result(campaign, draw, result)])

    async def add(self, places: Iterable[StoredPlace]) -> None:
        """Add places. They replace places of the same entries and classes."""
        writes = [ReplaceOne({"_id": place.id}, dict(place.to_document()), upsert=True) for place in places]
        if writes:
            await self._places.bulk_write(writes, ordered=False, session=self._session)

    async def add_corrected(self, places: Iterable[StoredPlace]) -> None:
        """Add the places of a correction. They replace places of another draw only."""
        writes = [
            ReplaceOne({"_id": place.id, "draw": {"$ne": place.draw}}, dict(place.to_document()), upsert=True)
            for place in places
        ]
        await self._places.bulk_write(writes, session=self._session)

    async def apply(self, draw: DrawId, events: Iterable[PlaceEvent]) -> None:
        """Move the places of these events. Corrections create places and are added by `add_corrected`."""
        writes = [_update(draw, event) for event in events if event.move is not Move.CORRECTED]
        if writes:
            await self._places.bulk_write(writes, session=self._session)

    async def of_entry(self, draw: DrawId, entry: EntryId, class_id: ClassId | None = None) -> list[StoredPlace]:
        """Return the places of an entry by class, or its place in one class."""
        of_class = {} if class_id is None else {"class_id": class_id}
        return await self._find({"draw": draw, "entry": entry, **of_class}, _BY_CLASS)

    async def of_entries(self, draw: DrawId, entries: Sequence[str]) -> list[StoredPlace]:
        """Return all places of entries."""
        return await self._find({"draw": draw, "entry": {"$in": list(entries)}})

    async def of_class(
        self, draw: DrawId, class_id: ClassId, state: PlaceState | None = None, limit: int = 0
    ) -> list[StoredPlace]:
        """Return the places of a class by position, in one state or in all; `limit` 0: all."""
        in_state = {} if state is None else {"state": state}
        return await self._find({"draw": draw, "class_id": class_id, **in_state}, limit=limit)

    async def other_places(self, draw: DrawId, class_id: ClassId, entries: Sequence[str]) -> list[StoredPlace]:
        """Return the places of these entries in other classes, unless they are gone."""
        others = {"entry": {"$in": list(entries)}, "class_id": {"$ne": class_id}, "state": {"$ne": PlaceState.GONE}}
        return await self._find({"draw": draw, **others})

    async def of_receipts(self, draw: DrawId, receipts: Sequence[Receipt]) -> list[StoredPlace]:
        """Return the places of receipt numbers."""
        return await self._find({"draw": draw, "receipt": {"$in": list(receipts)}})

    async def of_draw(self, draw: DrawId, limit: int = 0, **equal: str) -> list[StoredPlace]:
        """Return the places of a draw by class and position; `equal`: values of fields."""
        return await self._find({"draw": draw, **equal}, _BY_CLASS, limit)

    async def find_entry(self, draw: DrawId, receipt: Receipt) -> EntryId | None:
        """Return the entry with this receipt number, if it has a place."""
        document = await self._places.find_one({"draw": draw, "receipt": receipt}, {"entry": 1})
        return None if document is None else EntryId(document["entry"])

    async def count_seats_taken(self, draw: DrawId, class_id: ClassId) -> int:
        """Count the seats of a class that are held or offered."""
        taken = {"draw": draw, "class_id": class_id, "state": {"$in": list(TAKES_SEATS)}}
        groups = self._places.aggregate(
            [{"$match": taken}, {"$group": {"_id": None, "seats": {"$sum": "$seats"}}}], session=self._session
        )
        return sum([int(group["seats"]) async for group in groups])

    async def count_by_state(self, draw: DrawId) -> Mapping[tuple[ClassId, PlaceState], tuple[int, int]]:
        """Count places and seats by class and state."""
        key = {"class_id": "$class_id", "state": "$state"}
        group = {"$group": {"_id": key, "places": {"$sum": 1}, "seats": {"$sum": "$seats"}}}
        return {
            (ClassId(row["_id"]["class_id"]), PlaceState(row["_id"]["state"])): (row["places"], row["seats"])
            async for row in self._places.aggregate([{"$match": {"draw": draw}}, group], session=self._session)
        }

    async def walk(self, draw: DrawId) -> AsyncIterator[StoredPlace]:
        """Yield all places of a draw in no order, without keeping them in memory."""
        async for document in self._places.find({"draw": draw}, session=self._session):
            yield StoredPlace.from_document(document)

    async def first_answer_by(self, draw: DrawId) -> datetime | None:
        """Return the earliest time limit of an offer; None if there is no offer."""
        offers = await self._find({"draw": draw, "state": PlaceState.OFFERED}, [("answer_by", 1)], 1)
        return offers[0].place.answer_by if offers else None

    async def _find(
        self, query: Mapping[str, Any], order: list[tuple[str, int]] = _BY_POSITION, limit: int = 0
    ) -> list[StoredPlace]:
        documents: AsyncIterator[Any] = self._places.find(query, session=self._session).sort(order).limit(limit)
        return [StoredPlace.from_document(document) async for document in documents]


def _update(draw: DrawId, event: PlaceEvent) -> UpdateOne:
    """Return the write of a move. Its filter contains the states from which the move is allowed."""
    to = AFTER[event.move]
    reason = event.reason if event.move is Move.PASSED_OVER else None
    gone = {"why": event.move, "gone_at": event.at, "reason": reason} if to is PlaceState.GONE else {}
    place = {"draw": draw, "entry": event.entry, "class_id": event.class_id}
    change = {"$set": {"state": to, "answer_by": event.answer_by, **gone}, "$inc": {"revision": 1}}
    return UpdateOne({**place, "state": {"$in": sorted(BEFORE[event.move])}}, change)
