"""Message handlers of contacts and slips. Answers and bounces are handled in `mail/`, cards in `post/`."""

from collections.abc import Sequence

from services.notifier.applicant_repository import Occasion, StoredSlip
from services.notifier.create_notices import record_contacts, record_slips
from services.notifier.rules.kinds import RESULT
from shared.contracts import ContactsRegistered, OutcomeSlip, PlacesOffered, ResultsPublished
from shared.storage import UnitOfWork


async def on_contacts(events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
    """Store contacts and create their notices."""
    for event in events:
        await record_contacts(uow, event.campaign, event.items)


async def on_results(events: Sequence[ResultsPublished], uow: UnitOfWork) -> None:
    """Store the slips of a draw and create their notices."""
    for event in events:
        await record_slips(uow, event.campaign, [_stored(slip, Occasion(RESULT)) for slip in event.items])


async def on_places(events: Sequence[PlacesOffered], uow: UnitOfWork) -> None:
    """Store the slips of places that changed and create their notices."""
    for event in events:
        slips = [_stored(item.slip, Occasion(item.kind, item.class_id)) for item in event.items]
        await record_slips(uow, event.campaign, slips)


def _stored(slip: OutcomeSlip, occasion: Occasion) -> StoredSlip:
    return StoredSlip(slip.token, slip.n, slip.to_document(), (occasion,))
