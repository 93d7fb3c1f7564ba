"""What the notifier hears."""

from collections.abc import Sequence

from services.notifier import ledger
from services.notifier.states import NoticeState, before
from shared.contracts import ContactsRegistered, MailBounced, ResultsPublished
from shared.storage import UnitOfWork


async def on_contacts(events: Sequence[ContactsRegistered], uow: UnitOfWork) -> None:
    for event in events:
        await ledger.put_contacts(uow, event.campaign, event.items)


async def on_results(events: Sequence[ResultsPublished], uow: UnitOfWork) -> None:
    for event in events:
        await ledger.put_results(uow, event.campaign, event.items)


async def on_bounced(events: Sequence[MailBounced], uow: UnitOfWork) -> None:
    """A mail that was taken came back: the person gets a postcard."""
    for event in events:
        await uow.db[ledger.NOTICES].update_one(
            {"token": event.token, "campaign": event.campaign, "state": {"$in": before(NoticeState.TO_PRINT)}},
            {"$set": {"state": NoticeState.TO_PRINT, "code": event.status, "bounced": True}},
            session=uow.session,
        )
