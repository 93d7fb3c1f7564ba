"""Handle events about notices: orders of mails, slips that the lottery issued, counts of the notifier."""

from collections.abc import Sequence

from services.vault.deliveries.accept import DocumentAcceptance
from services.vault.deliveries.published_draws_repository import PublishedDrawRepository
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.mail.answers import publish_answers
from shared.contracts import IssuedSlip, MailRequested, NoticesCounted, SlipsIssued
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork, people_filter


class MailHandlers:
    """Handlers of the mail room; each runs in the consumer's transaction."""

    def __init__(self, store: Store, acceptance: DocumentAcceptance) -> None:
        self._acceptance, self._slips = acceptance, SlipRepository(store)
        self._draws = PublishedDrawRepository(store)

    async def on_requested(self, events: Sequence[MailRequested], uow: UnitOfWork) -> None:
        """Queue the mails, and answer at once what is refused or was answered before."""
        for campaign in dict.fromkeys(event.campaign for event in events):
            documents = [item for event in events if event.campaign == campaign for item in event.items]
            accepted = await self._acceptance.accept(uow, campaign, documents, "mail")
            answered = [delivery for delivery in accepted.deliveries if not delivery.is_open]
            await publish_answers(uow, campaign, [delivery.answer() for delivery in answered])

    async def on_slips_issued(self, events: Sequence[SlipsIssued], uow: UnitOfWork) -> None:
        """Record which slips must reach their applicants; of erased people only how many results they had.

        Without these, a draw would have more entries than slips for ever, and nobody would be told to be left out.
        """
        for campaign in dict.fromkeys(event.campaign for event in events):
            items = [item for event in events if event.campaign == campaign for item in event.items]
            gone = await self._of_erased_people(campaign, items, uow)
            await self._slips.add_issued(uow, campaign, [item for item in items if item not in gone])
            await self._draws.count_erased(uow, campaign, [item.n for item in gone])

    async def _of_erased_people(
        self, campaign: CampaignId, items: Sequence[IssuedSlip], uow: UnitOfWork
    ) -> list[IssuedSlip]:
        """Return the slips of people who have a tombstone, and count them there."""
        erased = (await uow.erased_people.of_campaigns([campaign], uow.session)).get(campaign)
        if not erased:
            return []
        dropped: list[str] = []
        is_erased = people_filter(campaign, erased, dropped)
        gone = [item for item in items if is_erased(frozenset({item.token}))]
        await uow.erased_people.count_dropped(dropped, uow.session)
        return gone

    async def on_counted(self, events: Sequence[NoticesCounted], uow: UnitOfWork) -> None:
        """Keep the notifier's newest counts."""
        for event in events:
            await self._slips.put_counts(uow, event)
