"""Freeze the list of a further round: its entries, the places that it takes over, and the seats that it draws.

Entries and places do not move while the round is in this state. If a process dies in between, another one comes to the
same list.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.lottery.draw.freeze import FreezeService
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.further.candidates import Candidates
from services.lottery.record.further_member import Further
from services.lottery.record.manifest import EntryCounts, receipts_of, write_manifest
from services.lottery.record.taken_over import write_places
from shared.campaign import Campaign
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.receipt_documents import write_roll
from shared.storage import Store

_log = get_logger(__name__)


@dataclass(frozen=True)
class FurtherFreeze:
    """Writes the lists of further rounds down. `freezing`: signs and publishes manifests."""

    store: Store
    freezing: FreezeService
    campaigns: Mapping[CampaignId, Campaign]

    async def finish(self, draw: Draw) -> bool:
        """Write down and sign the list of a further round. Return True if this call froze it."""
        if draw.state is not DrawState.FREEZING or draw.further is None:
            return False
        campaign, lists = self.campaigns[draw.campaign], ListRepository(self.store)
        candidates = Candidates(self.store, campaign, draw.further.scope)
        before = await candidates.places_before(draw.base)
        listed = await candidates.list_of(draw.further.free, before)
        places = await asyncio.to_thread(write_places, before.places)
        lines = await RollRepository(self.store).lines(draw.campaign)
        await lists.put(draw.id, listed.frozen)
        await lists.put_roll(draw.id, lines)
        await lists.put_places(draw.id, places)
        further = Further(
            draw.further.scope,
            draw.further.rounds[-1],
            draw.further.manifest_sha256,
            draw.further.history_sha256,
            await asyncio.to_thread(receipts_of, places),
            dict(draw.further.free),
            dict(draw.places.extra),
        )
        manifest = await asyncio.to_thread(
            write_manifest,
            campaign,
            listed.frozen,
            receipts_of(write_roll(lines)),
            EntryCounts(dict(listed.by_channel), {}),
            replace(draw.freeze, further=further),
            draw.vault_key,
        )
        if not await self.freezing.fix(draw, manifest):
            return False
        _log.info("list-frozen", campaign=draw.campaign, draw=draw.id, count=len(listed.frozen))
        return True
