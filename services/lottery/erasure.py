"""Stores of the lottery that an erasure empties: entries, roll, outcomes, places, scans and the key of the pass codes.

The public transcript stays: it holds no person and no token, only ids that applicants know of themselves (R-C11).
"""

from typing import Final

from services.lottery.draw import collections as draws
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.places import repository as places
from services.lottery.places.ownership import AttemptLimit
from services.lottery.reception import repository as reception
from shared.contracts.closing import RATE_LIMITS
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork, delete_in_chunks

PASS_KEY: Final = "pass-key"  # noqa: S105  (the name of a store, not a secret)
PERSONAL: Final = (*draws.PERSONAL, *places.PERSONAL, *reception.PERSONAL)
_UNDER_WAY: Final = frozenset({DrawState.FREEZING, DrawState.DRAWN})
"""States that end by themselves: a list that is being written, and results that are being published."""


class LotteryStores:
    """Count and delete what the lottery holds of a campaign."""

    def __init__(self, store: Store, keys: LotteryKeys, limit: AttemptLimit) -> None:
        self._store, self._keys, self._limit = store, keys, limit

    async def close(self, campaign: CampaignId, erasure_id: str, uow: UnitOfWork) -> bool:
        """Stop the draw. Return False while a list is being written or results are being published."""
        await FollowUpRepository(uow).request_erasure(campaign, erasure_id)
        draw = await DrawRepository(uow).find(campaign)
        return draw is None or draw.state not in _UNDER_WAY

    async def count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of records in each store."""
        tombstone = await self._store.tombstones.find(campaign)
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in PERSONAL}
        counts[PASS_KEY] = int(self._keys.has_pass_key(campaign))
        return {**counts, RATE_LIMITS: self._limit.records_before(tombstone.at) if tombstone else 0}

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the records, the key of the pass codes and the wrong codes that were counted. Safe to repeat."""
        for name in PERSONAL:
            await delete_in_chunks(self._store.db[name], {"campaign": campaign})
        self._keys.forget(campaign)
        self._limit.forget()
