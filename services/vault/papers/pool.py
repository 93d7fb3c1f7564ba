"""Hand papers out to be keyed, each to one browser at a time, and show the pages of a held paper as pictures."""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.papers.drawn_pages import DrawnPages, FirstPage
from services.vault.papers.inbox import PURPOSE, UnknownPaperError
from services.vault.papers.keying import Keyer, Keying, NotYourLookError
from services.vault.papers.repository import StoredPaper
from services.vault.papers.rules.keyed_content import KeyedContent, OpenField, open_fields
from services.vault.papers.rules.looks import HOLD, Look
from services.vault.papers.rules.states import UNSETTLED
from services.vault.papers.sandbox import Sandbox
from shared.clock import Clock
from shared.ids import CampaignId, PaperId
from shared.sheet_layout import Box

MOST_HELD: Final = 6
"""Papers that one person may hold in all browsers: one on the screen and one loaded ahead in each of three tabs."""


@dataclass(frozen=True)
class HandedPaper:
    """A paper for one browser. Only the person who resolves gets `versions`, in an order that names no keyer."""

    paper: StoredPaper
    look: Look
    versions: tuple[KeyedContent, ...] = field(default=(), repr=False)
    open: tuple[OpenField, ...] | None = None


@dataclass(frozen=True)
class PoolCounts:
    """Papers that wait, by look, and the oldest of each. `undecidable`: those whose look nobody on duty may take."""

    waiting: dict[Look, int]
    oldest: dict[Look, StoredPaper]
    undecidable: int = 0


class PaperPool:
    """Choose the oldest paper whose next look a person may take, and hold it for ten minutes."""

    def __init__(self, keying: Keying, keystore: Keystore, audit: AuditLog, clock: Clock, sandbox: Sandbox) -> None:
        self._keying, self._keystore, self._audit, self._clock = keying, keystore, audit, clock
        self._sandbox, self._drawn = sandbox, DrawnPages()

    def forget_papers(self, paper_ids: Iterable[str]) -> None:
        """Drop the pictures of these papers, which were erased."""
        self._drawn.forget(paper_ids)

    async def take_next(self, campaign: CampaignId, keyer: Keyer, have: Collection[PaperId] = ()) -> HandedPaper | None:
        """Hold a paper for this browser and return it; None if there is none. `have`: those that it shows already.

        Raises KeyDestroyedError, VaultLockedError; NotRecordedError before anything is shown.
        """
        held = await self._keying.holds.active(campaign, self._clock.now())
        own = [paper_id for paper_id, holder in held.items() if holder == keyer.holder and paper_id not in have]
        if not own and sum(holder.person == keyer.person for holder in held.values()) >= MOST_HELD:
            return None
        waiting = await self._keying.papers.unsettled(campaign)
        free = [paper for paper in waiting if paper.paper_id not in held and paper.paper_id not in have]
        again = [paper for paper in waiting if paper.paper_id in own]
        people, keyers = await self._keying.keyers.count(), await self._keying.keyings.keyers(campaign)
        for_person = [
            paper
            for paper in (*again, *free)
            if self._keying.need_of(campaign, paper.paper_id, keyers.get(paper.paper_id, ()), people).is_for(keyer)
        ]
        if handed := await self._hold_seeded(
            campaign, keyer, own, {*held, *have}, has_work=bool(for_person) and not again
        ):
            return handed
        for paper in for_person:
            if handed := await self._hold(paper, keyer, people):
                return handed
        return None

    async def _hold_seeded(
        self,
        campaign: CampaignId,
        keyer: Keyer,
        own: Collection[PaperId],
        held: Collection[PaperId],
        *,
        has_work: bool,
    ) -> HandedPaper | None:
        """Hold a seeded paper if one is due; it looks like a first keying. `has_work`: there is another free paper."""
        seeded, now = self._keying.seeded, self._clock.now()
        paper = await seeded.choose(campaign, keyer.person, own, held, has_work=has_work)
        if paper is None or not await self._keying.holds.take(campaign, paper.paper_id, keyer.holder, now, now + HOLD):
            return None
        await self._record_opening(paper, keyer, Look.FIRST)
        return HandedPaper(paper, Look.FIRST)

    async def _hold(self, paper: StoredPaper, keyer: Keyer, people: int) -> HandedPaper | None:
        """Hold the paper and open it; None if another person took the look meanwhile."""
        campaign, paper_id, now = paper.campaign, paper.paper_id, self._clock.now()
        if not await self._keying.holds.take(campaign, paper_id, keyer.holder, now, now + HOLD):
            return None
        current = await self._keying.papers.find(campaign, paper_id)
        keyings = await self._keying.keyings.of_paper(campaign, paper_id)
        need = self._keying.need_of(campaign, paper_id, [one.by for one in keyings], people)
        if current is None or current.state not in UNSETTLED or not need.is_for(keyer):
            await self._keying.holds.give_up(paper_id, keyer.holder)
            return None
        await self._record_opening(paper, keyer, need.look)
        if need.look is not Look.THIRD:
            return HandedPaper(paper, need.look)
        keys = self._keystore.campaign(campaign)
        contents = await asyncio.to_thread(lambda: [one.decrypt(keys) for one in keyings])
        if int(keys.index_of("keying-order", paper_id)[:2], 16) % 2:
            contents.reverse()
        return HandedPaper(paper, need.look, tuple(contents), open_fields(contents))

    async def _record_opening(self, paper: StoredPaper, keyer: Keyer, look: Look) -> None:
        subject = self._keystore.campaign(paper.campaign).subject_of(paper.paper_id)
        line = AuditEvent(keyer.person, "handler", "show-paper", PURPOSE, paper.campaign, subject, f"shown {look}")
        await self._audit.record([line])

    async def give_back(self, campaign: CampaignId, paper_id: PaperId, keyer: Keyer) -> bool:
        """Return a paper to the pool, with a line in the audit log; return False if this browser does not hold it."""
        given = await self._keying.holds.give_up(paper_id, keyer.holder)
        if given:
            subject = self._keystore.campaign(campaign).subject_of(paper_id)
            line = AuditEvent(keyer.person, "handler", "return-paper", PURPOSE, campaign, subject, "returned")
            await self._audit.record([line])
        return given

    async def page(self, campaign: CampaignId, paper_id: PaperId, keyer: Keyer, page: int, code: str) -> bytes:
        """Return a page, counted from 0, as PNG. Its opening was recorded when the paper was handed out.

        `code`: of our sheet, as `Sandbox.first` takes it; the first page's fields are found while it is drawn. Raises
        UnknownPaperError also for a paper that is never shown; NotYourLookError where another browser or none holds
        it; NotAPaperError, SandboxError, KeyDestroyedError, VaultLockedError.
        """
        await self._check_held(campaign, paper_id, keyer)
        if page == 0:
            return (await self._first(campaign, paper_id, code)).picture
        return await self._sandbox.picture(await self._file(campaign, paper_id), page)

    async def fields(self, campaign: CampaignId, paper_id: PaperId, keyer: Keyer, code: str) -> dict[str, Box]:
        """Return the places of the fields on our own sheet; nothing on another paper. Raises as `page` does."""
        await self._check_held(campaign, paper_id, keyer)
        return (await self._first(campaign, paper_id, code)).fields

    async def _first(self, campaign: CampaignId, paper_id: PaperId, code: str) -> FirstPage:
        keys = self._keystore.campaign(campaign)

        async def draw() -> FirstPage:
            return FirstPage(*await self._sandbox.first(await self._file(campaign, paper_id), code))

        return await self._drawn.get(keys, campaign, paper_id, draw)

    async def _check_held(self, campaign: CampaignId, paper_id: PaperId, keyer: Keyer) -> None:
        """Raise NotYourLookError where this browser does not hold the paper, UnknownPaperError where it is gone."""
        held = await self._keying.holds.active(campaign, self._clock.now())
        if held.get(paper_id) != keyer.holder:
            raise NotYourLookError("not-held")
        parts = (self._keying.papers, self._keying.seeded)
        if not any([await part.find(campaign, paper_id) for part in parts]):
            raise UnknownPaperError

    async def _file(self, campaign: CampaignId, paper_id: PaperId) -> bytes:
        """Return the file of a paper. Raises UnknownPaperError for one that is never shown."""
        keying = self._keying
        paper = await keying.papers.load(campaign, paper_id) or await keying.seeded.load(campaign, paper_id)
        if paper is None or paper.kind is None or paper.sealed is None:
            raise UnknownPaperError
        keys = self._keystore.campaign(campaign)
        return await asyncio.to_thread(paper.decrypt, keys)

    async def counts(self, campaign: CampaignId) -> PoolCounts:
        """Return how many papers wait for each look, and the oldest of each."""
        accounts, keyers = await self._keying.keyers.accounts(), await self._keying.keyings.keyers(campaign)
        waiting, oldest, undecidable = dict.fromkeys(Look, 0), dict[Look, StoredPaper](), 0
        for paper in await self._keying.papers.unsettled(campaign):
            need = self._keying.need_of(campaign, paper.paper_id, keyers.get(paper.paper_id, ()), len(accounts))
            waiting[need.look] += 1
            oldest.setdefault(need.look, paper)
            undecidable += not any(need.may_be_taken(account.id, account.roles) for account in accounts)
        return PoolCounts(waiting, oldest, undecidable)
