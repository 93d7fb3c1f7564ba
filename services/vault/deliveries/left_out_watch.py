"""Find applications that the published draw left out, also those that are judged after it (ADR 54).

An application that is in order or held, and has no slip of the draw or since it, was not in the draw: it was accepted
after the list was frozen by approval, or judged later, or it was only in the list of a draw that was given up. It is
told once as many slips of the draw arrived as its list had entries: before that, its slip may be on the way.
"""

import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

from services.vault.applications.repository import ApplicationRepository, Judged
from services.vault.deliveries.left_out import LeftOutNotices
from services.vault.deliveries.left_out_repository import LeftOutRepository
from services.vault.deliveries.published_draws_repository import PublishedDraw, PublishedDrawRepository
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.ids import CampaignId, Token
from shared.periodic import PeriodicTasks
from shared.storage import Store, UnitOfWork

EVERY_S: Final = 2.0
"""Seconds between two looks at a campaign whose draw is published, where a look is quick."""

_REST, _LONGEST_REST_S = 20.0, 60.0
"""A look is followed by a rest of so many times its own length, and of a minute at most: looks at many are rare."""

_CHUNK: Final = 200
"""Applications that one transaction tells of."""


class LeftOutWatch:
    """Tell applicants who have no slip of the published draw; each once, also where several instances look."""

    def __init__(self, store: Store, keystore: Keystore) -> None:
        self._store, self._keystore, self._notices = store, keystore, LeftOutNotices(store)
        self._draws, self._slips = PublishedDrawRepository(store), SlipRepository(store)
        self._applications, self._rows = ApplicationRepository(store), LeftOutRepository(store)
        self._seen: dict[CampaignId, frozenset[Judged]] = {}
        self._rests: dict[CampaignId, float] = {}

    def watching(self, campaigns: Iterable[Campaign]) -> AbstractAsyncContextManager[None]:
        """Look at each campaign when it is due, while the block runs."""
        return PeriodicTasks(campaigns, [self.watch], every_s=EVERY_S).running()

    async def watch(self, campaign: Campaign) -> None:
        """Look at the campaign, unless it is erased, the vault is locked, or a long look was not long ago."""
        is_gone = self._keystore.locked or self._keystore.fingerprint_of_destroyed(campaign.id) is not None
        began = time.monotonic()
        if is_gone or began < self._rests.get(campaign.id, began):
            return
        await self.look(campaign.id)
        ended = time.monotonic()
        self._rests[campaign.id] = ended + min(_LONGEST_REST_S, _REST * (ended - began))

    async def look(self, campaign: CampaignId) -> None:
        """Tell those who are left out and were not told, once all slips of the draw arrived."""
        draw = await self._draws.find(campaign)
        if draw is None or not draw.stands or not await self._is_complete(campaign, draw):
            return
        informed = await self._notices.find_informed(await self._rows.of_campaign(campaign), draw)
        known = informed | await self._slips.issued(campaign, draw.n)
        found = frozenset(one for one in await self._applications.judged(campaign) if one.token not in known)
        if found == self._seen.get(campaign):
            return
        tokens = sorted(one.token for one in found)
        for start in range(0, len(tokens), _CHUNK):
            chunk = tokens[start : start + _CHUNK]
            await self._store.transact(partial(self._tell, campaign=campaign, draw=draw, tokens=chunk))
        self._seen[campaign] = found

    async def _is_complete(self, campaign: CampaignId, draw: PublishedDraw) -> bool:
        if draw.is_complete:
            return True
        return await self._slips.count(campaign, draw.n) + draw.erased >= draw.entries

    async def _tell(self, uow: UnitOfWork, campaign: CampaignId, draw: PublishedDraw, tokens: list[Token]) -> None:
        """Tell those of them who still have no slip, unless another draw was published or begun meanwhile."""
        present = await self._draws.find(campaign, uow)
        if present is None or present.number != draw.number or not present.stands:
            return
        await self._draws.set_complete(uow, campaign)
        await self._notices.tell_late(uow, campaign, tokens, present)
