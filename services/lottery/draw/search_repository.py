"""Store the lists that the vault searched for applications of one person, and look for the present one among them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.lottery.draw.collections import ENTRIES, SEARCHES
from shared.contracts import DuplicatesSearched
from shared.ids import CampaignId, Receipt
from shared.searched_list import name_list
from shared.storage import Store, UnitOfWork

_LISTED: Final = ("accepted", "held")


class SearchRepository:
    """Reads and writes searched lists, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._searches, self._entries = at.db[SEARCHES], at.db[ENTRIES]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, events: Sequence[DuplicatesSearched]) -> None:
        """Store searched lists. Safe to repeat, in any order."""
        for event in events:
            key = {"_id": f"{event.campaign}/{event.list_sha256}"}
            change = {"$set": {"campaign": event.campaign, "applications": event.applications}}
            await self._searches.update_one(key, change, upsert=True, session=self._session)

    async def has_present_list(self, campaign: CampaignId) -> bool:
        """Return True if the vault searched exactly the accepted and held entries of now; an empty list needs none."""
        query = {"_id": {"$gt": f"{campaign}/", "$lt": f"{campaign}0"}, "state": {"$in": list(_LISTED)}}
        members = {"_id": 0, "receipt": 1, "version": 1, "revision": 1}
        found = await self._entries.find(query, members, session=self._session).to_list(None)
        if not found:
            return True
        listed = [(Receipt(one["receipt"]), one["version"], one["revision"]) for one in found]
        name = await asyncio.to_thread(name_list, listed)
        key = {"_id": f"{campaign}/{name}"}
        return await self._searches.find_one(key, {"_id": 1}, session=self._session) is not None
