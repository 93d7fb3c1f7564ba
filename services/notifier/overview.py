"""Overview of a campaign's notices: counts by channel and state, applicants still to be told, and the deadline."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.notifier.counts_repository import NoticeCounts, NoticeCountsRepository, NoticeTally
from services.notifier.post.repository import PrintBatchRepository
from services.notifier.rules.states import SETTLED, TELEPHONE_LIST, TOLD
from shared.campaign import Campaign
from shared.clock import Clock
from shared.storage import Database

_ON_PAPER = ("made", "fetched", "counted", "posted", "returned")


@dataclass(frozen=True)
class CampaignOverview:
    """Counts of one campaign at one moment. *Told*: sent without a bounce, posted, or telephoned.

    Acknowledgements and announcements are counted by state, but are no part of told and to tell (R-B8).
    """

    counts: NoticeCounts
    print_batches: Mapping[str, int]
    notify_by: datetime
    now: datetime

    @property
    def told(self) -> int:
        """Number of notices whose applicant was told."""
        return sum(tally.count for tally in self.counts.told_by_deadline() if tally.state in TOLD)

    @property
    def to_tell(self) -> int:
        """Number of notices whose applicant is still to be told."""
        return sum(tally.count for tally in self.counts.told_by_deadline() if tally.state not in SETTLED)

    @property
    def to_telephone(self) -> int:
        """Number of notices on the telephone list."""
        return sum(tally.count for tally in self.counts.tallies if tally.state in TELEPHONE_LIST)

    @property
    def hours_left(self) -> float:
        """Hours until the deadline (R-B8); negative after it."""
        return (self.notify_by - self.now).total_seconds() / 3600

    @property
    def is_missed(self) -> bool:
        """True if the deadline has passed and applicants are still to be told."""
        return self.to_tell > 0 and self.hours_left < 0

    def to_json(self) -> dict[str, object]:
        """Return the summary of the staff API."""
        states = _sum_by(self.counts.tallies, lambda tally: tally.state)
        return {
            "notices": states,
            "channels": {channel: self._states_of(channel) for channel in ("mail", "post")},
            "kinds": _sum_by(self.counts.tallies, lambda tally: tally.kind),
            "mails": self.counts.mails,
            "bounced": self.counts.bounced,
            "print_batches": dict(self.print_batches),
            "postcards": sum(states.get(state, 0) for state in _ON_PAPER),
            "told": self.told,
            "to_tell": self.to_tell,
            "to_telephone": self.to_telephone,
            "deadline": {
                "notify_by": self.notify_by.isoformat(),
                "hours_left": round(self.hours_left, 1),
                "missed": self.is_missed,
            },
        }

    def _states_of(self, channel: str) -> dict[str, int]:
        return _sum_by((tally for tally in self.counts.tallies if tally.channel == channel), lambda tally: tally.state)


class Overview:
    """Read the overview of a campaign. `clock` is the campaign's, which moves in rehearsals."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._notices, self._batches, self._clock = NoticeCountsRepository(db), PrintBatchRepository(db), clock

    async def read(self, campaign: Campaign) -> CampaignOverview:
        """Return the overview as of now."""
        return CampaignOverview(
            await self._notices.count_notices(campaign.id),
            await self._batches.count_by_state(campaign.id),
            campaign.notify_by,
            self._clock.now(),
        )


def _sum_by(tallies: Iterable[NoticeTally], name: Callable[[NoticeTally], str]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for tally in tallies:
        sums[str(name(tally))] += tally.count
    return dict(sums)
