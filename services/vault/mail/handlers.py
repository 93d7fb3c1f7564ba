"""Handle events about notices: orders of mails, slips that the lottery issued, counts of the notifier."""

from collections.abc import Sequence

from services.vault.deliveries.accept import DocumentAcceptance
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.mail.answers import publish_answers
from shared.contracts import MailRequested, NoticesCounted, SlipsIssued
from shared.storage import Store, UnitOfWork


class MailHandlers:
    """Handlers of the mail room; each runs in the consumer's transaction."""

    def __init__(self, store: Store, acceptance: DocumentAcceptance) -> None:
        self._acceptance, self._slips = acceptance, SlipRepository(store)

    async def on_requested(self, events: Sequence[MailRequested], uow: UnitOfWork) -> None:
        """Queue the mails, and answer at once what is refused or was answered before."""
        for campaign in dict.fromkeys(event.campaign for event in events):
            documents = [item for event in events if event.campaign == campaign for item in event.items]
            accepted = await self._acceptance.accept(uow, campaign, documents, "mail")
            answered = [delivery for delivery in accepted.deliveries if not delivery.is_open]
            await publish_answers(uow, campaign, [delivery.answer() for delivery in answered])

    async def on_slips_issued(self, events: Sequence[SlipsIssued], uow: UnitOfWork) -> None:
        """Record which slips must reach their applicants."""
        await self._slips.add_issued(uow, events)

    async def on_counted(self, events: Sequence[NoticesCounted], uow: UnitOfWork) -> None:
        """Keep the notifier's newest counts."""
        for event in events:
            await self._slips.put_counts(uow, event)
