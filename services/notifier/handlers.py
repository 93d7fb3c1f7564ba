"""What the notifier hears."""

from collections.abc import Sequence

from services.notifier import ledger
from services.notifier.rules.states import NoticeState
from shared.contracts import ContactsRegistered, MailBounced, PlacesOffered, ResultsPublished
from shared.storage import UnitOfWork


async def on_contacts(events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
    for event in events:
        await ledger.put_contacts(uow, event.campaign, event.items)


async def on_results(events: Sequence[ResultsPublished], uow: UnitOfWork) -> None:
    for event in events:
        await ledger.put_results(uow, event.campaign, event.draw, event.items)


async def on_places(events: Sequence[PlacesOffered], uow: UnitOfWork) -> None:
    for event in events:
        await ledger.put_offers(uow, event.campaign, event.draw, event.items)


async def on_bounced(events: Sequence[MailBounced], uow: UnitOfWork) -> None:
    """A mail that was taken came back: the person gets a postcard.

    `notice_id` is what the mail's envelope named, a notice or a batch. A mailbox that a family shares is reported for
    each of them; only whom this mail went to is concerned.
    """
    for event in events:
        this = {"$or": [{"_id": event.notice_id}, {"batch_id": event.notice_id}], "token": event.token}
        wanted, change = ledger.moving(NoticeState.TO_PRINT, code=event.status, bounced=True, next_at=ledger.wall_now())
        await uow.db[ledger.NOTICES].update_one(
            {**this, **wanted, "campaign": event.campaign}, change, session=uow.session
        )
