"""Store the history after a draw: one numbered event for each move of a place."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.places.repository import HISTORY
from services.lottery.places.stored_place import Actor
from services.lottery.promotion.place_id import PlaceId, make_place_id
from services.lottery.promotion.states import Move
from shared.codes import EntryId
from shared.ids import DrawId
from shared.storage import Store, UnitOfWork

_BECOMES_HELD: Final = (Move.PROMOTED, Move.ACCEPTED, Move.CORRECTED)
"""Moves after which an entry holds a place that the draw did not give to it."""


@dataclass(frozen=True)
class RecordedEvent:
    """Event of the history with the author of the move."""

    seq: int
    event: Mapping[str, Any]
    actor: Actor


class HistoryRepository:
    """Reads and writes events, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._history = at.db[HISTORY]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def append(self, draw: DrawId, after: int, events: Sequence[Mapping[str, Any]], actor: Actor) -> None:
        """Append events; the first one gets the number `after` + 1. A number can be given once only."""
        documents = [
            {"_id": f"{draw}:{seq:08d}", "draw": draw, "seq": seq, "event": dict(event), **asdict(actor)}
            for seq, event in enumerate(events, after + 1)
        ]
        await self._history.insert_many(documents, session=self._session)

    async def newest(self, draw: DrawId, limit: int = 1) -> list[RecordedEvent]:
        """Return the last `limit` events in order."""
        found = self._history.find({"draw": draw}, session=self._session).sort("seq", -1).limit(limit)
        return [_recorded(document) async for document in found][::-1]

    async def of_entry(self, draw: DrawId, entry: EntryId) -> list[RecordedEvent]:
        """Return the events of one entry in order."""
        found = self._history.find({"draw": draw, "event.entry": entry}, session=self._session).sort("seq", 1)
        return [_recorded(document) async for document in found]

    async def all(self, draw: DrawId) -> list[Mapping[str, Any]]:
        """Return all events of the draw in order, as in the transcript."""
        found = self._history.find({"draw": draw}, {"event": 1}).sort("seq", 1)
        return [document["event"] async for document in found]

    async def held_since(self, draws: Sequence[DrawId]) -> Mapping[PlaceId, datetime]:
        """Return the time since when each place is held that none of these draws gave. `draws`: oldest first."""
        query = {"draw": {"$in": list(draws)}, "event.event": {"$in": _BECOMES_HELD}}
        documents = await self._history.find(query, session=self._session).to_list(None)
        documents.sort(key=lambda document: (draws.index(document["draw"]), document["seq"]))
        events = [document["event"] for document in documents]
        return {make_place_id(event["entry"], event["class"]): datetime.fromisoformat(event["at"]) for event in events}


def _recorded(document: Mapping[str, Any]) -> RecordedEvent:
    return RecordedEvent(document["seq"], document["event"], Actor(document["actor"], document["approval"]))
