"""Counts over the notices of a campaign."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.notifier.collections import NOTICES
from services.notifier.rules.kinds import COURTESIES
from services.notifier.rules.states import NoticeState
from shared.ids import CampaignId
from shared.storage import Database


@dataclass(frozen=True, order=True)
class NoticeTally:
    """Number of the notices of one kind and channel in one state. `n`: number of the announcement, else 0."""

    kind: str
    n: int
    channel: str
    state: NoticeState
    count: int

    @property
    def is_announcement(self) -> bool:
        """True if the notices are of an announcement."""
        return self.n > 0


@dataclass(frozen=True)
class NoticeCounts:
    """Counts over the notices of one campaign.

    `mails` counts notices of which the mail server took a mail, bounced ones included; acknowledgements and
    announcements are among them.
    """

    tallies: tuple[NoticeTally, ...]
    mails: int
    bounced: int

    def told_by_deadline(self) -> Iterator[NoticeTally]:
        """Return the tallies of what the three-day clock is about: results, changes of places, rejections."""
        return (tally for tally in self.tallies if not tally.is_announcement and tally.kind not in COURTESIES)


class NoticeCountsRepository:
    """Count notices."""

    def __init__(self, db: Database) -> None:
        self._notices = db[NOTICES]

    async def count_notices(self, campaign: CampaignId) -> NoticeCounts:
        """Count the notices of the campaign, all counts in one pass."""
        more = {"mailed": {"$ne": [{"$type": "$sent_at"}, "missing"]}, "bounced": {"$eq": ["$bounced", True]}}
        rows = [row async for row in self._grouped(campaign, {**_KEY, **more})]
        return NoticeCounts(
            tallies=_tallies(rows),
            mails=sum(int(row["count"]) for row in rows if row["_id"]["mailed"]),
            bounced=sum(int(row["count"]) for row in rows if row["_id"]["bounced"]),
        )

    async def count_announcements(self, campaign: CampaignId) -> dict[int, dict[str, int]]:
        """Return, for each announcement by number, the number of its notices in each state."""
        by_number: dict[int, dict[str, int]] = {}
        for tally in _tallies([row async for row in self._grouped(campaign, _KEY)]):
            if tally.is_announcement:
                states = by_number.setdefault(tally.n, {})
                states[tally.state] = states.get(tally.state, 0) + tally.count
        return by_number

    async def count_state(self, state: NoticeState) -> int:
        """Count the notices in this state, of all campaigns."""
        return int(await self._notices.count_documents({"state": state}))

    async def oldest_order(self, campaign: CampaignId) -> datetime | None:
        """Return the time of the oldest mail order without an answer, or None if all are answered."""
        selected = {"campaign": campaign, "state": NoticeState.MAILING}
        document = await self._notices.find_one(selected, {"asked_at": 1}, sort=[("asked_at", 1)])
        return None if document is None else document["asked_at"]

    def _grouped(self, campaign: CampaignId, key: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        groups: list[dict[str, Any]] = [
            {"$match": {"campaign": campaign}},
            {"$group": {"_id": dict(key), "count": {"$sum": 1}}},
        ]
        rows: AsyncIterator[dict[str, Any]] = self._notices.aggregate(groups)
        return rows


_KEY: Final = {"kind": "$kind", "n": {"$cond": ["$bulk", "$n", 0]}, "channel": "$channel", "state": "$state"}
"""Members that tell tallies apart, as MongoDB computes them from a notice."""


def _tallies(rows: Iterable[Mapping[str, Any]]) -> tuple[NoticeTally, ...]:
    """Add up the rows of each tally."""
    counts = Counter[tuple[str, int, str, NoticeState]]()
    for row in rows:
        key = row["_id"]
        counts[key["kind"], key["n"], key["channel"], NoticeState(key["state"])] += int(row["count"])
    return tuple(sorted(NoticeTally(*key, count) for key, count in counts.items()))
