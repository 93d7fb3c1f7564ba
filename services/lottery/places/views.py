"""Places as they are shown: to whoever owns them, and to staff by class. No token, no code."""

from collections.abc import Mapping
from typing import Any, Final

from services.lottery.draw.repository import DrawRepository
from services.lottery.places.repository import HISTORY, PLACES
from services.lottery.promotion.states import TAKES_SEATS, PlaceState
from shared.campaign import Campaign
from shared.ids import ApplicationId, DrawId, Receipt
from shared.storage import Store

MOST_SHOWN: Final = 2000


async def own_places(store: Store, draw: DrawId, application_id: ApplicationId) -> list[dict[str, Any]]:
    found = store.db[PLACES].find({"draw": draw, "application_id": application_id}).sort("class_id", 1)
    return [shown(each) async for each in found]


def shown(place: Mapping[str, Any]) -> dict[str, Any]:
    """`position` while waiting; `answer_by` while offered; `why` once gone."""
    waits = place["state"] == PlaceState.WAITING
    return {
        "class_id": place["class_id"],
        "seats": place["seats"],
        "state": place["state"],
        "position": place["position"] if waits else None,
        "answer_by": place["answer_by"] and place["answer_by"].isoformat(),
        "why": place["why"],
    }


async def by_class(store: Store, campaign: Campaign) -> list[dict[str, Any]]:
    """For each class how many places are in which state, and how many seats are free."""
    draw = await DrawRepository(store).get(campaign.id)
    pipeline: list[dict[str, Any]] = [
        {"$match": {"draw": draw.id}},
        {
            "$group": {
                "_id": {"class_id": "$class_id", "state": "$state"},
                "places": {"$sum": 1},
                "seats": {"$sum": "$seats"},
            }
        },
    ]
    rows = {
        (row["_id"]["class_id"], row["_id"]["state"]): (row["places"], row["seats"])
        async for row in store.db[PLACES].aggregate(pipeline)
    }
    extra = draw.places.extra
    return [
        {
            "class_id": each.id,
            "capacity": each.capacity,
            "extra": extra.get(each.id, 0),
            "free": each.capacity
            + extra.get(each.id, 0)
            - sum(rows.get((each.id, state), (0, 0))[1] for state in TAKES_SEATS),
            **{state: rows.get((each.id, state), (0, 0))[0] for state in PlaceState},
        }
        for each in campaign.classes
    ]


async def listed(store: Store, campaign: Campaign, **wanted: str) -> list[dict[str, Any]]:
    """Single places, waiting ones in their order; at most `MOST_SHOWN`."""
    draw = await DrawRepository(store).get(campaign.id)
    found = store.db[PLACES].find({"draw": draw.id, **wanted}).sort([("class_id", 1), ("position", 1), ("_id", 1)])
    return [
        {"application_id": each["application_id"], "receipt": each["receipt"], **shown(each)}
        async for each in found.limit(MOST_SHOWN)
    ]


async def told(store: Store, campaign: Campaign) -> list[dict[str, Any]]:
    """The newest events after the draw, and which handler did each."""
    draw = await DrawRepository(store).get(campaign.id)
    lines = await store.db[HISTORY].find({"draw": draw.id}).sort("seq", -1).limit(MOST_SHOWN).to_list(None)
    return [{**each["event"], "actor": each["actor"], "approved_by": each["approved_by"]} for each in reversed(lines)]


async def application_of(store: Store, campaign: Campaign, receipt: Receipt) -> ApplicationId | None:
    draw = await DrawRepository(store).get(campaign.id)
    place = await store.db[PLACES].find_one({"draw": draw.id, "receipt": receipt}, {"application_id": 1})
    return None if place is None else ApplicationId(place["application_id"])
