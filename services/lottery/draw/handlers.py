"""Consume verdicts and the roll of receipts. Their order does not matter, and a repetition changes nothing."""

from collections.abc import Sequence
from typing import Literal

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.entry import Entry
from shared.contracts import (
    AcceptedApplication,
    ApplicationsAccepted,
    ApplicationsHeld,
    ApplicationsRejected,
    HeldApplication,
    ReceiptsClosed,
    RejectedApplication,
)
from shared.ids import CampaignId
from shared.storage import UnitOfWork


async def on_accepted(events: Sequence[ApplicationsAccepted], uow: UnitOfWork) -> None:
    """Store accepted applications as entries. Raises ListFrozenError."""
    for event in events:
        await _put(uow, event.campaign, [_accepted(event.campaign, item) for item in event.items])


async def on_rejected(events: Sequence[ApplicationsRejected], uow: UnitOfWork) -> None:
    """Store rejected applications with their reasons. Raises ListFrozenError."""
    for event in events:
        entries = [_without_choices(event.campaign, "rejected", item, item.reasons) for item in event.items]
        await _put(uow, event.campaign, entries)


async def on_held(events: Sequence[ApplicationsHeld], uow: UnitOfWork) -> None:
    """Store applications that staff have to decide. Raises ListFrozenError."""
    for event in events:
        await _put(uow, event.campaign, [_without_choices(event.campaign, "held", item) for item in event.items])


async def on_receipts_closed(events: Sequence[ReceiptsClosed], uow: UnitOfWork) -> None:
    """Store one part of the roll of receipts."""
    for event in events:
        await DrawRepository(uow).change_roll(event.campaign)
        await EntryRepository(uow).put_roll(event.campaign, event.part, event.parts, event.application_ids)


def _accepted(campaign: CampaignId, item: AcceptedApplication) -> Entry:
    return Entry(
        application_id=item.application_id,
        campaign=campaign,
        state="accepted",
        channel=item.channel,
        revision=item.revision,
        receipt=item.receipt,
        token=item.token,
        choices=tuple((choice.class_id, choice.seats) for choice in item.choices),
        refused=tuple((refusal.class_id, refusal.reason) for refusal in item.refused),
    )


def _without_choices(
    campaign: CampaignId,
    state: Literal["rejected", "held"],
    item: RejectedApplication | HeldApplication,
    reasons: Sequence[str] = (),
) -> Entry:
    return Entry(
        application_id=item.application_id,
        campaign=campaign,
        state=state,
        channel=item.channel,
        revision=item.revision,
        receipt=item.receipt,
        token=item.token,
        reasons=tuple(reasons),
    )


async def _put(uow: UnitOfWork, campaign: CampaignId, entries: Sequence[Entry]) -> None:
    await DrawRepository(uow).change_entries(campaign)
    await EntryRepository(uow).put(entries)
