"""Stores of the lottery that an erasure empties: entries, roll, outcomes, places and scans.

The public transcript stays: it holds no person and no token, only ids that nobody but the applicant can link (R-C11).
"""

from typing import Final

from services.lottery.draw import collections as draws
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState
from services.lottery.places import repository as places
from services.lottery.reception import repository as reception
from shared.contracts.closing import RATE_LIMITS
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork, delete_in_chunks
from shared.web.wrong_proofs import WrongProofs

PERSONAL: Final = (*draws.PERSONAL, *places.PERSONAL, *reception.PERSONAL)
_UNDER_WAY: Final = frozenset({DrawState.FREEZING, DrawState.DRAWN})
"""States that end by themselves: a list that is being written, and results that are being published."""


class LotteryStores:
    """Count and delete what the lottery holds of a campaign."""

    def __init__(self, store: Store, wrong_proofs: WrongProofs) -> None:
        self._store, self._wrong_proofs = store, wrong_proofs

    async def close(self, campaign: CampaignId, erasure_id: str, uow: UnitOfWork) -> bool:
        """Stop the draw. Return False while a list is being written or results are being published."""
        await FollowUpRepository(uow).request_erasure(campaign, erasure_id)
        draw = await DrawRepository(uow).find(campaign)
        return draw is None or draw.state not in _UNDER_WAY

    async def count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of records in each store."""
        tombstone = await self._store.tombstones.find(campaign)
        counts = {name: await self._store.db[name].count_documents({"campaign": campaign}) for name in PERSONAL}
        return {**counts, RATE_LIMITS: self._wrong_proofs.records_before(tombstone.at) if tombstone else 0}

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the records, and the wrong proofs that were counted. Safe to repeat."""
        for name in PERSONAL:
            await delete_in_chunks(self._store.db[name], {"campaign": campaign})
        self._wrong_proofs.forget()
