"""How many asked for what, what they got, and what they have now: counted in the lottery's own database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, Final, TypeVar

from services.lottery.draw import repository as draws
from services.lottery.draw.rules.states import DrawState
from services.lottery.places.repository import PLACES
from services.lottery.statistics.cache import Remembered
from services.lottery.statistics.overview import Course
from services.lottery.statistics.rules.demand import (
    Asked,
    Came,
    ClassDemand,
    ClassPlaces,
    ClassResult,
    demand,
    places,
    results,
)
from shared.campaign import Campaign
from shared.storage import Store, translated

T = TypeVar("T")

_AT_ONCE: Final = 200_000
_PATIENCE_S: Final = 2.0


class Tallies:
    """Every count is made once for all who look, and kept for a moment. Raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._demand = Remembered[tuple[ClassDemand, ...]]()
        self._results = Remembered[tuple[ClassResult, ...]]()
        self._places = Remembered[tuple[ClassPlaces, ...]]()

    async def demand(self, campaign: Campaign, course: Course) -> tuple[ClassDemand, ...] | None:
        """None while a long list is still being counted: ask again."""

        async def count() -> tuple[ClassDemand, ...]:
            wanted = {"campaign": campaign.id, "state": "accepted"}
            of = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
            found = self._counted(draws.ENTRIES, wanted, "choices", of)
            return demand(_capacities(campaign), [Asked(**key, entries=entries) async for key, entries, _ in found])

        return await _soon(self._demand.get((course.draw, course.state), count))

    async def results(self, campaign: Campaign, course: Course) -> tuple[ClassResult, ...] | None:
        """As far as results have been said; None before the draw, and while they are still being counted."""
        if not course.reached(DrawState.DRAWN):
            return None

        async def count() -> tuple[ClassResult, ...]:
            of = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome"}
            found = self._counted(draws.OUTCOMES, {"draw": course.draw}, "outcomes", of)
            return results(
                _capacities(campaign), [Came(**key, entries=n, seats=seats) async for key, n, seats in found]
            )

        return await _soon(self._results.get((course.draw, course.state), count))

    async def places(self, campaign: Campaign, course: Course) -> tuple[ClassPlaces, ...] | None:
        """Who has what now that people give up and move up; None before the results are out, or while counting."""
        if not course.reached(DrawState.PUBLISHED):
            return None

        async def count() -> tuple[ClassPlaces, ...]:
            capacities = {name: seats + course.extra.get(name, 0) for name, seats in _capacities(campaign).items()}
            found = self._store.db[PLACES].aggregate(_by_state(course.draw))
            came = [Came(**line["_id"], entries=line["count"], seats=line["seats"]) async for line in found]
            return places(capacities, came)

        return await _soon(self._places.get((course.draw, course.moves), count))

    async def _counted(
        self, collection: str, wanted: Mapping[str, Any], part: str, of: Mapping[str, str]
    ) -> AsyncIterator[tuple[dict[str, Any], int, int]]:
        """Members of the list `part`, grouped by `of`: how many, and their seats.

        Piece by piece: the whole could take longer than an answer of the database may.
        """
        last = ""
        while True:
            group = {
                "_id": of,
                "count": {"$sum": 1},
                "seats": {"$sum": f"${part}.seats"},
                "last": {"$max": "$_id"},
            }
            pipeline: list[dict[str, Any]] = [
                {"$match": {**wanted, "_id": {"$gt": last}}},
                {"$sort": {"_id": 1}},
                {"$limit": _AT_ONCE},
                {"$unwind": {"path": f"${part}", "preserveNullAndEmptyArrays": True}},
                {"$group": group},
            ]
            lines = await self._store.db[collection].aggregate(pipeline).to_list(None)
            if not lines:
                return
            for line in (each for each in lines if "class_id" in each["_id"]):
                yield line["_id"], line["count"], line["seats"]
            last = max(line["last"] for line in lines)


def _capacities(campaign: Campaign) -> dict[str, int]:
    return {each.id: each.capacity for each in campaign.classes}


def _by_state(draw: str) -> list[dict[str, Any]]:
    of = {"class_id": "$class_id", "outcome": "$state"}
    return [
        {"$match": {"draw": draw}},
        {"$group": {"_id": of, "count": {"$sum": 1}, "seats": {"$sum": "$seats"}}},
    ]


async def _soon(counting: Awaitable[T]) -> T | None:
    """What is counted, if that does not take long; the counting goes on meanwhile. Raises StoreUnavailable."""
    with translated():
        try:
            return await asyncio.wait_for(counting, _PATIENCE_S)
        except TimeoutError:
            return None
