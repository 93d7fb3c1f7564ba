"""Places in the database, and the history of what moved them.

All moves of a campaign pass one gate, a counter in the draw's document, so that of two who move at once one sees what
the other did. Which places there are follows from the results; each move is one more event of the history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.promotion.history import chain_events, empty_lists
from services.lottery.promotion.states import AFTER, BEFORE, TAKES_SEATS, Move, PlaceState
from services.lottery.promotion.waiting_list import Place, PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from shared.contracts import Outcome, Result
from shared.ids import ApplicationId, CampaignId, ClassId, DrawId, Receipt, application_id_bytes
from shared.storage import Collection, Index, MongoCollection, ReplaceOne, Store, UnitOfWork, UpdateOne

PLACES, HISTORY = "places", "history"
PERSONAL: Final = (PLACES,)
"""What an erasure removes; the history is public, names nobody, and stays with the transcript."""

_STATES: Final = {"won": PlaceState.HELD, "waiting": PlaceState.WAITING}


@dataclass(frozen=True)
class By:
    """Who did it: a handler's id, `applicant`, or `schedule`; `approved_by` where two are needed. Never published."""

    actor: str
    approved_by: str | None = None


def collections() -> list[Collection]:
    place = {
        "bsonType": "object",
        "required": ["_id", "campaign", "draw", "application_id", "entry", "class_id", "seats", "receipt", "state"],
        "properties": {
            "seats": {"bsonType": "int", "minimum": 1},
            "state": {"enum": list(PlaceState)},
            "position": {"bsonType": ["int", "null"]},
            "answer_by": {"bsonType": ["date", "null"]},
            "why": {"enum": [*Move, None]},
            "gone_at": {"bsonType": ["date", "null"]},
        },
    }
    in_line = Index((("draw", 1), ("class_id", 1), ("state", 1), ("position", 1)))
    own = (Index((("draw", 1), ("receipt", 1))), Index((("draw", 1), ("entry", 1))), Index("campaign"))
    numbered = Index((("draw", 1), ("seq", 1)), unique=True)
    return [Collection(PLACES, place, (in_line, *own)), Collection(HISTORY, None, (numbered,))]


async def open_places(uow: UnitOfWork, campaign: CampaignId, draw: DrawId, results: Sequence[Result]) -> None:
    """The places that these results give. Of a draw that another corrected, the new one's take their place."""
    documents = [
        _document(campaign, draw, result, outcome)
        for result in results
        for outcome in result.outcomes
        if outcome.outcome in _STATES
    ]
    if documents:
        writes = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        await uow.db[PLACES].bulk_write(writes, ordered=False, session=uow.session)


def place_key(application_id: ApplicationId, class_id: ClassId) -> str:
    return f"{application_id}/{class_id}"


def _document(campaign: CampaignId, draw: DrawId, result: Result, outcome: Outcome) -> dict[str, Any]:
    place = Place(outcome.seats, _STATES[outcome.outcome], outcome.position)
    return place_document(campaign, draw, result.application_id, result.receipt, outcome.class_id, place)


def place_document(
    campaign: CampaignId,
    draw: DrawId,
    application_id: ApplicationId,
    receipt: Receipt,
    class_id: ClassId,
    place: Place,
) -> dict[str, Any]:
    """A place that begins. `why` and `gone_at` say what ended it, and when."""
    return {
        "_id": place_key(application_id, class_id),
        "campaign": campaign,
        "draw": draw,
        "application_id": application_id,
        "entry": application_id_bytes(application_id).hex(),
        "class_id": class_id,
        "seats": place.seats,
        "receipt": receipt,
        "state": place.state,
        "position": place.position,
        "answer_by": place.answer_by,
        "why": None,
        "gone_at": None,
        "revision": 0,
    }


@dataclass(frozen=True)
class Scene:
    """A published draw inside a transaction, and how to look at its places.

    `at`: now, or the last event's time where clocks differ; whole seconds. `seq`: the number of the last event after
    the draw (0: none), `last`: the last event of all.
    """

    uow: UnitOfWork
    draw: Draw
    manifest: Manifest
    at: datetime
    seq: int
    last: Mapping[str, Any]

    @classmethod
    async def of(cls, uow: UnitOfWork, campaign: CampaignId, now: datetime) -> "Scene":
        """Raises WrongStateError where the results are not out, or are being erased."""
        draw = await DrawRepository(uow).get(campaign)
        if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
            raise WrongStateError(draw.state)
        found = uow.db[HISTORY].find({"draw": draw.id}, session=uow.session)
        lines = await found.sort("seq", -1).limit(1).to_list(None)
        seq, last = (lines[0]["seq"], lines[0]["event"]) if lines else (0, draw.history[-1])
        at = max(now.replace(microsecond=0), _next_second(datetime.fromisoformat(last["at"])))
        return cls(uow, draw, draw.manifest, at, seq, last)

    @property
    def campaign(self) -> CampaignId:
        return self.draw.campaign

    @property
    def draw_id(self) -> DrawId:
        return self.draw.id

    @property
    def classes(self) -> list[ClassId]:
        return [ClassId(rule.id) for rule in self.manifest.classes]

    async def find(self, limit: int = 0, **wanted: Any) -> list[dict[str, Any]]:
        """By position; `limit` 0: all."""
        found = self._places.find({"draw": self.draw_id, **wanted}, session=self.uow.session)
        documents: list[dict[str, Any]] = await found.sort("position", 1).limit(limit).to_list(None)
        return documents

    async def line(self, class_id: ClassId, limit: int = 0) -> WaitingLists:
        """A class with its offers, those who wait for it (the first `limit`, or all), and what else these have."""
        waits = await self.find(limit, class_id=class_id, state=PlaceState.WAITING)
        offers = await self.find(class_id=class_id, state=PlaceState.OFFERED)
        entries = [each["entry"] for each in waits]
        others = await self.find(entry={"$in": entries}, class_id={"$ne": class_id}, state={"$ne": PlaceState.GONE})
        standing = self._standing([*waits, *offers, *others])
        standing.taken[class_id] = await self._taken(class_id)
        return standing

    async def around(self, entry: str, class_id: ClassId) -> WaitingLists:
        """Everything that one entry has, and how full the class is."""
        standing = self._standing(await self.find(entry=entry))
        standing.taken[class_id] = await self._taken(class_id)
        return standing

    async def whole(self, class_id: ClassId) -> WaitingLists:
        """Every place of a class."""
        return self._standing(await self.find(class_id=class_id))

    async def record(self, steps: Sequence[PlaceEvent], by: By) -> None:
        """Write the steps down, and move the places; once in a transaction. Who moves at the same moment goes after."""
        await FollowUpRepository(self.uow).change_places(self.draw, _extra(steps))
        lines = [
            {"_id": f"{self.draw_id}:{number:08d}", "draw": self.draw_id, "seq": number, "event": event, **vars(by)}
            for number, event in enumerate(chain_events(steps, self.last), self.seq + 1)
        ]
        await self.uow.db[HISTORY].insert_many(lines, session=self.uow.session)
        moves = [_moved(self.draw_id, step) for step in steps if step.move is not Move.CORRECTED]
        if moves:
            await self._places.bulk_write(moves, session=self.uow.session)

    async def begin(self, application_id: ApplicationId, receipt: Receipt, places: Mapping[ClassId, Place]) -> None:
        """Places that a correction begins; what there was in a draw that was given up makes room for them."""
        documents = [
            place_document(self.campaign, self.draw_id, application_id, receipt, name, place)
            for name, place in places.items()
        ]
        others = {"draw": {"$ne": self.draw_id}}
        writes = [ReplaceOne({"_id": each["_id"], **others}, each, upsert=True) for each in documents]
        await self._places.bulk_write(writes, session=self.uow.session)

    @property
    def _places(self) -> MongoCollection:
        return self.uow.db[PLACES]

    def _standing(self, documents: Sequence[Mapping[str, Any]]) -> WaitingLists:
        standing = empty_lists(self.manifest)
        standing.extra.update(self.draw.places.extra)
        for each in documents:
            place = Place(each["seats"], PlaceState(each["state"]), each["position"], each["answer_by"])
            standing.put(each["entry"], each["class_id"], place)
        return standing

    async def _taken(self, class_id: ClassId) -> int:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"draw": self.draw_id, "class_id": class_id, "state": {"$in": list(TAKES_SEATS)}}},
            {"$group": {"_id": None, "seats": {"$sum": "$seats"}}},
        ]
        found = await self._places.aggregate(pipeline, session=self.uow.session).to_list(None)
        return int(found[0]["seats"]) if found else 0


def _next_second(at: datetime) -> datetime:
    """The first whole second that is not before `at`."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


async def history_of(store: Store, draw: DrawId) -> list[dict[str, Any]]:
    """What happened after the draw, in order, as the transcript says it."""
    lines = store.db[HISTORY].find({"draw": draw}, {"event": 1}).sort("seq", 1)
    return [line["event"] async for line in lines]


async def earliest(store: Store, draw: DrawId, field: str, state: PlaceState) -> datetime | None:
    """The first moment in a field of places in a state; None where there is none."""
    found = store.db[PLACES].find({"draw": draw, "state": state}, {field: 1}).sort(field, 1).limit(1)
    documents = await found.to_list(None)
    return documents[0][field] if documents else None


def _extra(steps: Sequence[PlaceEvent]) -> dict[ClassId, int]:
    added: dict[ClassId, int] = {}
    for step in steps:
        if step.extra:
            name = ClassId(step.class_id)
            added[name] = added.get(name, 0) + step.extra
    return added


def _moved(draw: DrawId, step: PlaceEvent) -> UpdateOne:
    to = AFTER[step.move]
    gone = {"why": step.move, "gone_at": step.at} if to is PlaceState.GONE else {}
    place = {"draw": draw, "entry": step.entry, "class_id": step.class_id, "state": {"$in": sorted(BEFORE[step.move])}}
    change = {"$set": {"state": to, "answer_by": step.answer_by, **gone}, "$inc": {"revision": 1}}
    return UpdateOne(place, change)
