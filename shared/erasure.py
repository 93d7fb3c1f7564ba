"""What every service does the same way at an erasure: counting its queues and its outbox, and judging a count."""

import asyncio
import json
from typing import Final, Protocol

from shared.contracts import StoreErasure
from shared.ids import CampaignId
from shared.storage import OUTBOX, Store

_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.2


class Queues(Protocol):
    """A service's own queues on the broker."""

    async def queue_depths(self) -> dict[str, int]:
        """Messages waiting, by queue, the parking queue included."""

    async def purge_campaign(self, campaign: CampaignId) -> int:
        """Discard what is parked of the campaign."""


def judged_store(store: str, before: int, left: int) -> StoreErasure:
    """What is left is the residue."""
    return StoreErasure(store=store, before=before, after=left, residue=left, result="FAIL" if left else "PASS")


async def judged_queues(queues: Queues) -> StoreErasure:
    """Empty queues hold nothing of any campaign; of what waits in them nobody here can say whose it is.

    Queues run empty in a moment when nothing new comes, so they are looked at a few times.
    """
    for _ in range(_LOOKS):
        waiting = sum((await queues.queue_depths()).values())
        if waiting == 0:
            return StoreErasure(store="queues", before=None, after=0, residue=0, result="PASS", note="empty")
        await asyncio.sleep(_BETWEEN_LOOKS_S)
    note = "messages wait, of whichever campaign"
    return StoreErasure(store="queues", before=None, after=waiting, residue=None, result="UNKNOWN", note=note)


async def count_outbox(store: Store, campaign: CampaignId) -> int:
    """Messages of the campaign that are still on their way out."""
    lines = store.db[OUTBOX].find({}, {"body": 1})
    return len([line async for line in lines if json.loads(line["body"])["campaign"] == campaign])
