"""Consume verdicts and the roll of receipts. Their order does not matter, and a repetition changes nothing."""

from collections.abc import Sequence

from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.entry import Entry
from services.lottery.draw.search_repository import SearchRepository
from shared.contracts import (
    AcceptedApplication,
    ApplicationsAccepted,
    ApplicationsHeld,
    ApplicationsRejected,
    DuplicatesSearched,
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
    """Store receipts that are not in the draw, with their reasons. Raises ListFrozenError."""
    for event in events:
        await _put(uow, event.campaign, [_rejected(event.campaign, item) for item in event.items])


async def on_held(events: Sequence[ApplicationsHeld], uow: UnitOfWork) -> None:
    """Store applications that staff have to decide. Raises ListFrozenError."""
    for event in events:
        await _put(uow, event.campaign, [_held(event.campaign, item) for item in event.items])


async def on_receipts_closed(events: Sequence[ReceiptsClosed], uow: UnitOfWork) -> None:
    """Store one part of the roll of receipts. Raises TransientError while a list is being written down."""
    for event in events:
        await RollRepository(uow).put(event)


async def on_duplicates_searched(events: Sequence[DuplicatesSearched], uow: UnitOfWork) -> None:
    """Store lists of which the vault says that it searched them."""
    await SearchRepository(uow).put(events)
    for campaign in {event.campaign for event in events}:
        await DrawRepository(uow).change_search(campaign)


def _accepted(campaign: CampaignId, item: AcceptedApplication) -> Entry:
    return Entry(
        receipt=item.receipt,
        campaign=campaign,
        state="accepted",
        version=item.version,
        channel=item.channel,
        revision=item.revision,
        entry=item.entry,
        proof_sha256=item.proof_sha256,
        token=item.token,
        choices=tuple((choice.class_id, choice.seats) for choice in item.choices),
        eligible=tuple((choice.class_id, choice.seats) for choice in item.eligible),
        refused=tuple((refusal.class_id, refusal.reason) for refusal in item.refused),
    )


def _held(campaign: CampaignId, item: HeldApplication) -> Entry:
    return Entry(
        receipt=item.receipt,
        campaign=campaign,
        state="held",
        version=item.version,
        channel=item.channel,
        revision=item.revision,
        entry=item.entry,
        proof_sha256=item.proof_sha256,
        token=item.token,
    )


def _rejected(campaign: CampaignId, item: RejectedApplication) -> Entry:
    return Entry(
        receipt=item.receipt,
        campaign=campaign,
        state="rejected",
        version=item.version,
        channel=item.channel,
        revision=item.revision,
        entry=item.entry,
        proof_sha256=item.proof_sha256,
        token=item.token,
        verdict=item.verdict,
        reasons=item.reasons,
    )


async def _put(uow: UnitOfWork, campaign: CampaignId, entries: Sequence[Entry]) -> None:
    await DrawRepository(uow).change_entries(campaign)
    await EntryRepository(uow).put(entries)
