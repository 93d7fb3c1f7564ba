"""Publish the counts of a campaign's notices when they change, for `/draws` and the vault's own comparison."""

import time
from collections import Counter
from typing import Final

from services.notifier.overview import CampaignOverview, Overview
from shared.campaign import Campaign
from shared.contracts import NoticeCount, NoticesCounted
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork

EVERY_S: Final = 2.0
"""Shortest time between two counts."""

_REST: Final = 10.0
"""Pause after a count, as a multiple of its duration: counting a million notices must not take all the time."""


class CountsPublisher:
    """Count and publish; a campaign without a notice is not published."""

    def __init__(self, store: Store, overview: Overview, *, every_s: float = EVERY_S, rest: float = _REST) -> None:
        self._store, self._overview, self._every_s, self._rest = store, overview, every_s, rest
        self._published: dict[CampaignId, CampaignOverview] = {}
        self._next: dict[CampaignId, float] = {}

    async def publish_changes(self, campaign: Campaign) -> None:
        """Publish the counts if they differ from the last ones that this process published."""
        began = time.monotonic()
        if began < self._next.get(campaign.id, 0):
            return
        overview = await self._overview.read(campaign)
        last = self._published.get(campaign.id)
        if last.counts != overview.counts if last else overview.counts.tallies:

            async def publish(uow: UnitOfWork) -> None:
                await uow.emit(_event(campaign.id, overview))

            await self._store.transact(publish)
            self._published[campaign.id] = overview
        took = time.monotonic() - began
        self._next[campaign.id] = began + max(self._every_s, self._rest * took)


def _event(campaign: CampaignId, overview: CampaignOverview) -> NoticesCounted:
    counts: Counter[tuple[str, str, str]] = Counter()
    for tally in overview.counts.tallies:
        counts[tally.kind, tally.channel, tally.state] += tally.count
    return NoticesCounted(
        campaign=campaign,
        counted_at=overview.now,
        told=overview.told,
        to_tell=overview.to_tell,
        to_telephone=overview.to_telephone,
        counts=tuple(
            NoticeCount.model_validate(
                {"kind": kind, "channel": "card" if channel == "post" else "mail", "state": state, "count": count}
            )
            for (kind, channel, state), count in sorted(counts.items())
        ),
    )
