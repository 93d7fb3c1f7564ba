"""Whether a list may be frozen: every receipt has its verdict, and nobody waits for one (R-B6, R-B8)."""

from typing import Final

from services.lottery.draw import repository as draws
from services.lottery.draw.rules.blockers import Readiness
from shared.ids import CampaignId
from shared.storage import Store

_AT_ONCE: Final = 50_000


async def readiness(store: Store, campaign: CampaignId) -> Readiness:
    """As it is while this looks. Whoever acts on it compares the draw's `changes` from before with those of then."""
    db = store.db
    parts = await db[draws.ROLL_PARTS].find({"campaign": campaign}).to_list(None)
    held = await db[draws.ENTRIES].count_documents({"campaign": campaign, "state": "held"})
    return Readiness(
        held=held,
        undecided=await _undecided(store, campaign),
        receipts_closed=bool(parts) and len(parts) == parts[0]["parts"],
    )


async def _undecided(store: Store, campaign: CampaignId) -> int:
    """How many of the roll have no verdict; both lists are walked in the order of their ids, many at a time."""
    missing, last = 0, ""
    roll, entries = store.db[draws.ROLL], store.db[draws.ENTRIES]
    while True:
        following = roll.find({"campaign": campaign, "_id": {"$gt": last}}, {"_id": 1}).sort("_id", 1).limit(_AT_ONCE)
        ids = [line["_id"] for line in await following.to_list(None)]
        if not ids:
            return missing
        between = {"campaign": campaign, "_id": {"$gte": ids[0], "$lte": ids[-1]}}
        known = {line["_id"] for line in await entries.find(between, {"_id": 1}).to_list(None)}
        missing, last = missing + len(set(ids) - known), ids[-1]
