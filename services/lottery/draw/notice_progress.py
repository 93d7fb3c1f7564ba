"""Store the notifier's counts of notices: how many applicants are still to be told, for `/draws` (R-B8)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from services.lottery.draw.collections import NOTICE_COUNTS
from shared.contracts import NoticesCounted
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class NoticeProgress:
    """Counts of a campaign's notices at one moment. `results`: results of draws that the notifier has taken over."""

    counted_at: datetime
    notified: int
    to_tell: int
    to_telephone: int
    results: int

    @classmethod
    def of(cls, event: NoticesCounted) -> "NoticeProgress":
        """Return the progress that an event states."""
        results = sum(count.count for count in event.counts if count.kind == "result")
        return cls(event.counted_at, event.told, event.to_tell, event.to_telephone, results)

    def is_complete(self, entries: int) -> bool:
        """Return True if the results of `entries` entries were taken over and no applicant is left to tell."""
        return self.results >= entries and self.to_tell == 0 and self.to_telephone == 0

    def to_json(self) -> JsonObject:
        """Return the counts for staff."""
        return {
            "counted_at": self.counted_at.isoformat(),
            "told": self.notified,
            "to_tell": self.to_tell,
            "to_telephone": self.to_telephone,
        }


class NoticeProgressRepository:
    """Reads and writes the newest counts of each campaign, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._counts = at.db[NOTICE_COUNTS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, campaign: CampaignId, progress: NoticeProgress) -> None:
        """Store the counts unless newer ones are stored."""
        stored = await self.find(campaign)
        if stored is None or stored.counted_at <= progress.counted_at:
            await self._counts.replace_one({"_id": campaign}, asdict(progress), upsert=True, session=self._session)

    async def find(self, campaign: CampaignId) -> NoticeProgress | None:
        """Return the newest counts, or None before the notifier has counted."""
        document = await self._counts.find_one({"_id": campaign}, {"_id": 0}, session=self._session)
        return None if document is None else NoticeProgress(**document)


async def on_notices_counted(events: Sequence[NoticesCounted], uow: UnitOfWork) -> None:
    """Store the newest counts, in whatever order they arrive."""
    for event in events:
        await NoticeProgressRepository(uow).put(event.campaign, NoticeProgress.of(event))
