"""Overview of a campaign's notices: counts by channel and state, applicants still to be told, and the deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeCounts, NoticeRepository
from services.notifier.rules.states import SETTLED, TELEPHONE_LIST, TOLD, NoticeState
from shared.campaign import Campaign
from shared.clock import Clock
from shared.storage import Database

_ON_PAPER = ("made", "fetched", "counted", "posted", "returned")


@dataclass(frozen=True)
class CampaignOverview:
    """Counts of one campaign at one moment. *Told*: sent without a bounce, posted, or telephoned."""

    counts: NoticeCounts
    print_batches: Mapping[str, int]
    notify_by: datetime
    now: datetime

    @property
    def told(self) -> int:
        """Number of notices whose applicant was told."""
        return sum(self.counts.by_state.get(state, 0) for state in TOLD)

    @property
    def to_tell(self) -> int:
        """Number of notices whose applicant is still to be told."""
        return sum(count for state, count in self.counts.by_state.items() if state not in set(SETTLED))

    @property
    def to_telephone(self) -> int:
        """Number of notices on the telephone list."""
        return sum(self.counts.by_state.get(state, 0) for state in TELEPHONE_LIST)

    @property
    def hours_left(self) -> float:
        """Hours until the deadline (R-B8); negative after it."""
        return (self.notify_by - self.now).total_seconds() / 3600

    @property
    def is_missed(self) -> bool:
        """True if the deadline has passed and applicants are still to be told."""
        return self.to_tell > 0 and self.hours_left < 0

    def of(self, channel: str, state: NoticeState) -> int:
        """Return the number of notices of one channel in one state."""
        return self.counts.by_channel.get(channel, {}).get(state, 0)

    def to_json(self) -> dict[str, object]:
        """Return the summary of the staff API."""
        return {
            "notices": self.counts.by_state,
            "channels": self.counts.by_channel,
            "kinds": self.counts.by_kind,
            "mails": self.counts.mails,
            "bounced": self.counts.bounced,
            "print_batches": dict(self.print_batches),
            "postcards": sum(self.counts.by_state.get(state, 0) for state in _ON_PAPER),
            "told": self.told,
            "to_tell": self.to_tell,
            "to_telephone": self.to_telephone,
            "deadline": {
                "notify_by": self.notify_by.isoformat(),
                "hours_left": round(self.hours_left, 1),
                "missed": self.is_missed,
            },
        }


class Overview:
    """Read the overview of a campaign. `clock` is the campaign's, which moves in rehearsals."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._notices, self._batches, self._clock = NoticeRepository(db), PrintBatchRepository(db), clock

    async def read(self, campaign: Campaign) -> CampaignOverview:
        """Return the overview as of now."""
        return CampaignOverview(
            await self._notices.count_notices(campaign.id),
            await self._batches.count_by_state(campaign.id),
            campaign.notify_by,
            self._clock.now(),
        )
