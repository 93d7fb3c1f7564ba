"""Search everybody again before the freeze, and tell the lottery: a net below the search of each verdict (ADR 39)."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import combinations
from typing import Final

from services.vault.applications.order_repository import OrderRepository
from services.vault.applications.pair_repository import PairRepository
from services.vault.applications.repository import ApplicationRepository, Content
from services.vault.applications.rules.blocks import blocks
from services.vault.applications.rules.pairs import Pair
from services.vault.applications.rules.similarity import Compared, compare
from services.vault.applications.search import DuplicateSearch, search_event
from services.vault.audit import AuditLog
from services.vault.identities.repository import IdentityRepository
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import DuplicatesSearched
from shared.ids import CampaignId, derived_event_id
from shared.periodic import PeriodicTasks
from shared.searched_list import name_list
from shared.storage import Store, UnitOfWork

EVERY_S: Final = 2.0
"""Seconds between two looks whether applications changed after the window closed, where a look is quick."""
_REST, _LONGEST_REST_S = 20.0, 60.0
"""A look is followed by a rest of so many times its own length, and of a minute at most: looks at many are rare."""

_CHUNK: Final = 500
_AT_ONCE: Final = 50
"""Doubts of one transaction, which must end within its lifetime (`TRANSACTION_LIFETIME_S`)."""


class SearchAgain:
    """Compare all contents of a campaign once its window is closed, and again when another one arrives."""

    def __init__(
        self, store: Store, keystore: Keystore, audit: AuditLog, clock: Clock, search: DuplicateSearch
    ) -> None:
        self._store, self._keystore, self._audit, self._clock, self._search = store, keystore, audit, clock, search
        self._applications, self._pairs = ApplicationRepository(store), PairRepository(store)
        self._orders, self._identities = OrderRepository(store), IdentityRepository(store)
        self._searched: dict[CampaignId, frozenset[str]] = {}
        self._said: dict[CampaignId, str] = {}
        self._rests: dict[CampaignId, float] = {}

    def watching(self, campaigns: Iterable[Campaign]) -> AbstractAsyncContextManager[None]:
        """Search each campaign when it is due, while the block runs."""
        return PeriodicTasks(campaigns, [self.watch], every_s=EVERY_S).running()

    async def watch(self, campaign: Campaign) -> None:
        """Search once the window is closed, unless these very contents were searched by this process.

        Then tell the lottery, which freezes no other list than the one that was searched.
        """
        is_gone = self._keystore.locked or self._keystore.fingerprint_of_destroyed(campaign.id) is not None
        if is_gone or self._clock.now() < campaign.window.closes:
            return
        began = time.monotonic()
        if began < self._rests.get(campaign.id, began):
            return
        contents = await self._applications.contents(campaign.id)
        names = _names(contents)
        if names and names != self._searched.get(campaign.id):
            await self.search(campaign.id, contents)
            self._searched[campaign.id] = names
        await self._tell(campaign.id, names)
        ended = time.monotonic()
        self._rests[campaign.id] = ended + min(_LONGEST_REST_S, _REST * (ended - began))

    async def _tell(self, campaign: CampaignId, searched: frozenset[str]) -> None:
        """Publish the name of the present list, unless it holds contents that were not searched: those come next."""
        listed = await self._applications.listed(campaign)
        if not _names(await self._applications.contents(campaign)) <= searched:
            return
        name = await asyncio.to_thread(name_list, listed)
        if name != self._said.get(campaign):
            event = DuplicatesSearched(campaign=campaign, list_sha256=name, applications=len(listed))
            event_id = derived_event_id(event.name, campaign, name)
            await self._store.transact(lambda uow: uow.emit(event, event_id))
            self._said[campaign] = name

    async def search(self, campaign: CampaignId, contents: Sequence[Content]) -> int:
        """Compare these contents, after one audit line, and hold what is missing. Return the number of new doubts."""
        keys = self._keystore.campaign(campaign)
        await self._audit.record([search_event(campaign, "everybody", len(contents))])
        compared = await self._compared(keys, contents)
        known = {pair.contents for pair in await self._pairs.all(campaign)}
        found = await asyncio.to_thread(lambda: list(_missing(compared, known)))
        at = self._clock.now()
        pairs = [Pair.of(one, other, compare(compared[one], compared[other]), at) for one, other in found]
        for start in range(0, len(pairs), _AT_ONCE):
            group = pairs[start : start + _AT_ONCE]
            await self._store.transact(partial(self._add, campaign=campaign, pairs=group))
        return len(pairs)

    async def _compared(self, keys: CampaignKeys, contents: Sequence[Content]) -> dict[str, Compared]:
        compared: dict[str, Compared] = {}
        for start in range(0, len(contents), _CHUNK):
            tokens = [one.token for one in contents[start : start + _CHUNK]]
            stored = await self._identities.by_tokens(tokens)
            compared |= await asyncio.to_thread(self._search.compared, keys, stored)
        return compared

    async def _add(self, uow: UnitOfWork, campaign: CampaignId, pairs: Sequence[Pair]) -> None:
        contents = {content for pair in pairs for content in pair.contents}
        order = await self._orders.load(uow, campaign, (), contents)
        order.add_pairs(pairs)
        order.settle()
        await self._orders.save(uow, campaign, order)


def _names(contents: Iterable[Content]) -> frozenset[str]:
    return frozenset(one.name for one in contents)


def _missing(compared: Mapping[str, Compared], known: set[frozenset[str]]) -> Iterator[tuple[str, str]]:
    """Yield the doubts that are not known, each once."""
    members: dict[tuple[str, str], list[str]] = {}
    for content, one in compared.items():
        for block in blocks(one):
            members.setdefault(block, []).append(content)
    candidates = {frozenset(pair) for group in members.values() for pair in combinations(group, 2)}
    for pair in candidates - known:
        first, second = sorted(pair)
        if compare(compared[first], compared[second]).is_doubt:
            yield first, second
