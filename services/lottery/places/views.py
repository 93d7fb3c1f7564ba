"""JSON of places and their history, for applicants and staff. Contains no token and no code."""

from collections.abc import Mapping
from typing import Any, Final

from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.places.present_outcomes import present_outcomes
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.states import TAKES_SEATS, PlaceState
from shared.campaign import Campaign, EventClass
from shared.codes import EntryId
from shared.ids import DrawId, Receipt
from shared.storage import Store

Json = Mapping[str, Any]

MAX_SHOWN: Final = 2000


async def own_result(store: Store, draw: DrawId, entry: EntryId) -> Json:
    """Return `outcomes` of an entry as they are now, as its slip says them, and its `places`, by class."""
    places = await PlaceRepository(store).of_entry(draw, entry)
    drawn = (await OutcomeRepository(store).of_entries(draw, [entry])).get(entry)
    outcomes = present_outcomes(drawn.outcomes if drawn else (), {stored.class_id: stored for stored in places})
    return {
        "outcomes": [outcome.model_dump(mode="json") for outcome in outcomes],
        "places": [place_to_json(stored) for stored in places],
    }


def place_to_json(stored: StoredPlace) -> Json:
    """Return a place as JSON: `position` while waiting; `answer_by` while offered; `why` after its end."""
    place = stored.place
    return {
        "class_id": stored.class_id,
        "seats": place.seats,
        "state": place.state,
        "position": place.position if place.state is PlaceState.WAITING else None,
        "answer_by": place.answer_by and place.answer_by.isoformat(),
        "why": stored.why,
    }


async def count_by_class(store: Store, campaign: Campaign) -> list[Json]:
    """Count places by state and free seats, for each class."""
    draw = await DrawRepository(store).get(campaign.id)
    counts = await PlaceRepository(store).count_by_state(draw.base)
    return [_class_counts(one, draw.places.extra.get(one.id, 0), counts) for one in campaign.classes]


def _class_counts(event_class: EventClass, extra: int, counts: Mapping[Any, tuple[int, int]]) -> Json:
    of_state = {state: counts.get((event_class.id, state), (0, 0)) for state in PlaceState}
    taken = sum(of_state[state][1] for state in TAKES_SEATS)
    return {
        "class_id": event_class.id,
        "capacity": event_class.capacity,
        "extra": extra,
        "free": event_class.capacity + extra - taken,
        **{state: places for state, (places, _) in of_state.items()},
    }


async def list_places(store: Store, campaign: Campaign, **equal: str) -> list[Json]:
    """Return single places by class and position, at most `MAX_SHOWN`. `equal`: values of fields."""
    draw = await DrawRepository(store).get(campaign.id)
    places = await PlaceRepository(store).of_draw(draw.base, MAX_SHOWN, **equal)
    return [{"entry": stored.entry, "receipt": stored.receipt, **place_to_json(stored)} for stored in places]


async def list_history(store: Store, campaign: Campaign) -> list[Json]:
    """Return the newest events after the draw with their authors, at most `MAX_SHOWN`."""
    draw = await DrawRepository(store).get(campaign.id)
    events = await HistoryRepository(store).newest(draw.id, MAX_SHOWN)
    return [{**one.event, "actor": one.actor.actor, "approval": one.actor.approval} for one in events]


async def entry_of(store: Store, campaign: Campaign, receipt: Receipt) -> EntryId | None:
    """Return the entry with this receipt number, if it has a place in the present draw."""
    draw = await DrawRepository(store).get(campaign.id)
    return await PlaceRepository(store).find_entry(draw.base, receipt)
