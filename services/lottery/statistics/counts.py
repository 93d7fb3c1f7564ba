"""Count what entries ask for, what they won and which places they have now, from the lottery's own database."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.rules.states import DrawState
from services.lottery.places.repository import PlaceRepository
from services.lottery.statistics.cache import SingleFlightCache
from services.lottery.statistics.overview import Course
from services.lottery.statistics.rules.demand import (
    ClassDemand,
    ClassPlaces,
    ClassResult,
    DemandRow,
    OutcomeRow,
    demand,
    places,
    results,
)
from shared.campaign import Campaign
from shared.storage import Store, translate_errors

T = TypeVar("T")

PAGE_WAIT_S: Final = 2.0
"""How long a page waits for a count; the count goes on in the background."""


class DrawCounts:
    """Counts each thing once for all requests and keeps the counts for a moment. Raises StoreUnavailableError."""

    def __init__(self, store: Store) -> None:
        self._entries, self._outcomes = EntryRepository(store), OutcomeRepository(store)
        self._stored_places = PlaceRepository(store)
        self._demand = SingleFlightCache[tuple[ClassDemand, ...]]()
        self._results = SingleFlightCache[tuple[ClassResult, ...]]()
        self._places = SingleFlightCache[tuple[ClassPlaces, ...]]()

    async def demand(self, campaign: Campaign, course: Course) -> tuple[ClassDemand, ...] | None:
        """Return the demand by class, or None while a long list is being counted."""

        async def count() -> tuple[ClassDemand, ...]:
            groups = self._entries.count_choices(campaign.id)
            return demand(
                _capacities(campaign), [DemandRow(**group.key, entries=group.entries) async for group in groups]
            )

        return await _soon(self._demand.get((course.draw, course.state), count))

    async def results(self, campaign: Campaign, course: Course) -> tuple[ClassResult, ...] | None:
        """Return the results published so far by class; None before the draw, or while they are being counted."""
        if not (course.is_further or course.state.reached(DrawState.DRAWN)):
            return None

        async def count() -> tuple[ClassResult, ...]:
            groups = self._outcomes.count(course.base)
            rows = [OutcomeRow(**group.key, entries=group.entries, seats=group.seats) async for group in groups]
            return results(_capacities(campaign), rows)

        return await _soon(self._results.get((course.draw, course.state), count))

    async def places(self, campaign: Campaign, course: Course) -> tuple[ClassPlaces, ...] | None:
        """Return the places by class as they are now; None before the results are out, or while being counted."""
        if not course.has_places:
            return None

        async def count() -> tuple[ClassPlaces, ...]:
            capacities = {name: seats + course.extra.get(name, 0) for name, seats in _capacities(campaign).items()}
            counts = await self._stored_places.count_by_state(course.base)
            rows = [OutcomeRow(name, state, entries, seats) for (name, state), (entries, seats) in counts.items()]
            return places(capacities, rows)

        return await _soon(self._places.get((course.draw, course.state, course.moves), count))


def _capacities(campaign: Campaign) -> dict[str, int]:
    return {event_class.id: event_class.capacity for event_class in campaign.classes}


async def _soon(counting: Awaitable[T]) -> T | None:
    """Return the count if it is there in time, else None. Raises StoreUnavailableError."""
    with translate_errors():
        try:
            return await asyncio.wait_for(counting, PAGE_WAIT_S)
        except TimeoutError:
            return None
