"""Store in a draw's document what happens around it: moved places, signed transcripts, scans and the erasure.

They are stored there because the document is the gate: of two transactions that change it, one is run again.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.collections import DRAWS, PAST_DRAWS
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState, WrongStateError
from shared.ids import CampaignId, ClassId
from shared.storage import Store, UnitOfWork

_UNLESS_ERASING: Final[Mapping[str, Any]] = {"erasure": {"$exists": False}}
_UNSIGNED: Final = {"$expr": {"$gt": ["$places.changes", {"$ifNull": ["$places.signed", 0]}]}}


class FollowUpRepository:
    """Writes counters and the erasure of draws, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._draws, self._past = at.db[DRAWS], at.db[PAST_DRAWS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def change_places(self, draw: Draw, extra: Mapping[ClassId, int]) -> None:
        """Pass the gate before moving places; add `extra` seats to classes. Raises WrongStateError."""
        published = {**_same(draw), "state": DrawState.PUBLISHED, **_UNLESS_ERASING}
        added = {f"places.extra.{class_id}": seats for class_id, seats in extra.items()}
        if not await self._update(published, {"$inc": {"places.changes": 1, **added}}):
            raise WrongStateError("being changed by another process")

    async def note_settled(self, draw: Draw, again_at: datetime | None) -> None:
        """Store that nothing is due until `again_at`, or until places change after `draw` was read."""
        published = {**_same(draw), "state": DrawState.PUBLISHED}
        values = {"places.settled": draw.places.changes, "places.settle_again_at": again_at}
        await self._update(published, {"$set": values})

    async def unsigned(self, campaign: CampaignId) -> AsyncIterator[Draw]:
        """Yield the present and past draws whose places changed after the last signature of their transcript."""
        async for document in self._draws.find({"_id": campaign, **_UNSIGNED}, session=self._session):
            yield Draw.from_document(document)
        async for document in self._past.find({"campaign": campaign, **_UNSIGNED}, session=self._session):
            yield Draw.from_document(document)

    async def note_signed(self, draw: Draw) -> bool:
        """Store that the transcript is signed up to the changes in `draw`; False if places changed since."""
        unchanged = {"draw": draw.id, "places.changes": draw.places.changes}
        change = {"$set": {"places.signed": draw.places.changes}}
        if await self._update({"_id": draw.campaign, **unchanged}, change):
            return True
        past = await self._past.update_one({"_id": draw.id, **unchanged}, change, session=self._session)
        return bool(past.modified_count)

    async def count_scan(self, campaign: CampaignId) -> bool:
        """Pass the gate before storing scans; False after an erasure was requested."""
        return await self._update({"_id": campaign, **_UNLESS_ERASING}, {"$inc": {"scans": 1}})

    async def count_erased_person(self, campaign: CampaignId) -> None:
        """Pass the gate before erasing a person, in any state."""
        await self._update({"_id": campaign}, {"$inc": {"erased_people": 1}})

    async def request_erasure(self, campaign: CampaignId, erasure_id: str) -> None:
        """Store the request of an erasure. A repeated request changes nothing."""
        requested = {"erasure": {"id": erasure_id, "state": "requested"}}
        await self._update({"_id": campaign, "erasure.id": {"$ne": erasure_id}}, {"$set": requested})

    async def _update(self, filter_: Mapping[str, Any], change: Mapping[str, Any]) -> bool:
        result = await self._draws.update_one(filter_, change, session=self._session)
        return bool(result.modified_count)


def _same(draw: Draw) -> dict[str, Any]:
    """Return the filter for this very draw. Without its id, a slow process could change a later draw."""
    return {"_id": draw.campaign, "draw": draw.id}
