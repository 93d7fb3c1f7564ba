"""Message handlers of the notifier: contacts, results, offers and bounces."""

from collections.abc import Sequence

from services.notifier.create_notices import record_contacts, record_offers, record_results
from services.notifier.repository import NoticeRepository
from services.notifier.wall_clock import wall_now
from shared.contracts import ContactsRegistered, MailBounced, PlacesOffered, ResultsPublished
from shared.storage import UnitOfWork


async def on_contacts(events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
    """Store contacts and create their notices."""
    for event in events:
        await record_contacts(uow, event.campaign, event.items)


async def on_results(events: Sequence[ResultsPublished], uow: UnitOfWork) -> None:
    """Store results and create their notices."""
    for event in events:
        await record_results(uow, event.campaign, event.draw, event.items)


async def on_places(events: Sequence[PlacesOffered], uow: UnitOfWork) -> None:
    """Store offers and create their notices."""
    for event in events:
        await record_offers(uow, event.campaign, event.draw, event.items)


async def on_bounced(events: Sequence[MailBounced], uow: UnitOfWork) -> None:
    """Send the notice of a bounced mail by post; hold it for a handler if the report is unclear.

    The vault does not know the notice's campaign and publishes one event for each, so that the others match nothing.
    """
    notices = NoticeRepository.within(uow)
    for event in events:
        await notices.record_bounce(
            event.campaign,
            event.notice_id,
            event.status,
            wall_now(),
            token=event.token,
            is_unclear=event.verdict == "unclear",
        )
