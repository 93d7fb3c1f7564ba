"""Find what waits for handlers in one campaign, and how far the day's papers are. Nothing here opens a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.vault.applications.review import ReviewQueue
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.desk.rules.waiting import WaitingWork, oldest_first
from services.vault.keys.keystore import Keystore
from services.vault.papers.wiring import Papers
from shared.campaign import Campaign
from shared.clock import Clock
from shared.dates import TOKYO
from shared.ids import CampaignId


@dataclass(frozen=True)
class DayOfPapers:
    """Papers of the office's day so far. `begun`: keyed by one person or two today, and not settled."""

    came: int
    settled: int
    begun: int


@dataclass(frozen=True)
class CampaignWork:
    """Work of one campaign, the oldest first. `undecidable`: differing papers that nobody on duty may resolve.

    `lacks_scanner`: papers of real people are opened without a look for malware.
    """

    campaign: Campaign
    waiting: list[WaitingWork]
    day: DayOfPapers
    undecidable: int
    lacks_scanner: bool

    @property
    def draw_waits(self) -> list[WaitingWork]:
        """Work for which the draw waits."""
        return [work for work in self.waiting if work.holds_up_draw]


@dataclass(frozen=True)
class DeskWork:
    """Finds the work of campaigns that are not erased."""

    keystore: Keystore
    papers: Papers
    review: ReviewQueue
    clock: Clock
    slips: SlipRepository
    links: Mapping[str, str]
    """Page that does the work of a kind: a path here or an address elsewhere; `{campaign}` in it is replaced."""

    async def of(self, campaign: CampaignId) -> CampaignWork:
        """Return the campaign's work. Raises KeyDestroyedError, VaultLockedError."""
        self.keystore.campaign(campaign)
        pool = await self.papers.pool.counts(campaign)
        waiting = [
            WaitingWork(look.value, pool.waiting[look], paper.taken_at, self._link(look.value, campaign))
            for look, paper in pool.oldest.items()
        ]
        if held := await self.review.held(campaign):
            oldest = held[0].application.received_at
            waiting.append(WaitingWork("doubts", len(held), oldest, self._link("doubts", campaign)))
        waiting += [
            WaitingWork(pile.state, pile.count, pile.since, self._link(pile.state, campaign))
            for pile in await self.slips.piles(campaign)
        ]
        day = await self._day(campaign)
        lacks_scanner = self.papers.lacks_scanner(campaign)
        return CampaignWork(
            self.papers.campaigns[campaign], oldest_first(waiting), day, pool.undecidable, lacks_scanner
        )

    def _link(self, kind: str, campaign: CampaignId) -> str | None:
        link = self.links.get(kind)
        return None if link is None else link.format(campaign=campaign)

    async def _day(self, campaign: CampaignId) -> DayOfPapers:
        since = _midnight(self.clock.now())
        keying = self.papers.keying
        came, settled = await keying.papers.came_and_settled(campaign, since)
        return DayOfPapers(came, settled, await keying.keyings.count_papers(campaign, since))


def _midnight(now: datetime) -> datetime:
    """Return the beginning of the office's day."""
    return now.astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
