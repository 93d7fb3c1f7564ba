"""Count what is left of a campaign in a service's database and on the broker, and judge each count."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from shared.contracts import StoreErasure
from shared.contracts.closing import DELIVERIES, PARKED, QUEUES
from shared.contracts.named_people import Mention
from shared.ids import CampaignId
from shared.storage import INBOX, OUTBOX, Store, delete_in_chunks

_LOOKS: Final = 10
_BETWEEN_LOOKS_S: Final = 0.2
_SHARED_MESSAGES: Final = "parked messages that name others too are kept until replayed, discarded, or the close-out"


class Queues(Protocol):
    """A service's own queues on the broker."""

    async def inlet_depths(self) -> dict[str, int]:
        """Return the number of ready messages by queue, without the parking queue."""

    def unacknowledged(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's messages that this process has not acknowledged yet."""

    async def purge_campaign(self, campaign: CampaignId) -> int:
        """Discard the campaign's parked messages and return their number."""

    async def parked(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's parked messages."""


def judge_store(store: str, before: int | None, left: int) -> StoreErasure:
    """Return the row of a counted store: FAIL if any record is left."""
    return StoreErasure(store=store, before=before, after=left, residue=left, result="FAIL" if left else "PASS")


def judge_parked(discarded: int, found: Mapping[Mention, int]) -> StoreErasure:
    """Return the row of a person's parked messages: PENDING for those that name other people, too."""
    left, mixed = found.get(Mention.ONLY, 0), found.get(Mention.MIXED, 0)
    if left or not mixed:
        return judge_store(PARKED, discarded, left)
    before = discarded + mixed
    return StoreErasure(store=PARKED, before=before, after=mixed, residue=0, result="PENDING", note=_SHARED_MESSAGES)


async def judge_messages(queues: Queues, campaign: CampaignId, discarded: int) -> list[StoreErasure]:
    """Return the rows of what the broker holds for this service: parked, delivered and waiting messages."""
    waiting = await judge_queues(queues)
    return [
        judge_store(PARKED, discarded, await queues.parked(campaign)),
        judge_store(DELIVERIES, None, await _unacknowledged(queues, campaign)),
        waiting,
    ]


async def judge_queues(queues: Queues) -> StoreErasure:
    """Return PASS if all queues are empty, else UNKNOWN: nothing tells the campaign of a message that waits.

    Queues run empty within a moment if no new message comes, so they are looked at up to ten times.
    """
    waiting = 0
    for _ in range(_LOOKS):
        waiting = sum((await queues.inlet_depths()).values())
        if waiting == 0:
            return StoreErasure(store=QUEUES, before=None, after=0, residue=0, result="PASS", note="empty")
        await asyncio.sleep(_BETWEEN_LOOKS_S)
    note = "messages wait, their campaign is not known"
    return StoreErasure(store=QUEUES, before=None, after=waiting, residue=None, result="UNKNOWN", note=note)


async def _unacknowledged(queues: Queues, campaign: CampaignId) -> int:
    """Return the unacknowledged messages of the campaign, after up to ten looks: a handler ends within a moment."""
    for _ in range(_LOOKS):
        if not queues.unacknowledged(campaign):
            return 0
        await asyncio.sleep(_BETWEEN_LOOKS_S)
    return queues.unacknowledged(campaign)


async def count_own_records(store: Store, campaign: CampaignId) -> dict[str, int]:
    """Return the number of inbox and outbox lines of the campaign (idempotency records, messages not published yet)."""
    return {name: await store.db[name].count_documents({"campaign": campaign}) for name in (INBOX, OUTBOX)}


async def delete_own_records(store: Store, campaign: CampaignId) -> None:
    """Delete the inbox and outbox lines of the campaign."""
    for name in (INBOX, OUTBOX):
        await delete_in_chunks(store.db[name], {"campaign": campaign})
