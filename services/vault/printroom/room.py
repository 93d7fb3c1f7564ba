"""Print postcards: turn orders by token into pages, stored encrypted until staff print them (R-B8, R-C6)."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

from services.vault.audit import AuditEvent, AuditLog
from services.vault.identities.reveal import Identities, Revealed
from services.vault.keys.keystore import Keystore
from services.vault.printroom.cards import NotPrintableError, card_of
from services.vault.printroom.postcards import Card, Printed, print_cards
from services.vault.printroom.repository import PrintBatch, PrintBatchRepository
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import CardFailure, CardOrder, PrintCompleted, PrintRequested
from shared.errors import PermanentError
from shared.ids import BatchId, CampaignId, NoticeId, Token, derived_event_id
from shared.logging import get_logger
from shared.postal_codes import PostalCodes
from shared.storage import Store, UnitOfWork
from shared.typesetting import Typesetter

PURPOSE = "print"

_log = get_logger(__name__)


class PrintRoom:
    """Handle `print.requested`, and open batches for staff."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
        typesetter: Typesetter,
    ) -> None:
        self._batches = PrintBatchRepository(store)
        self._identities, self._keystore, self._audit = identities, keystore, audit
        self._campaigns, self._clock, self._typesetter = campaigns, clock, typesetter
        self._postal_codes = PostalCodes()

    async def on_requested(self, events: Sequence[PrintRequested], uow: UnitOfWork) -> None:
        """Print each batch once; a repeated order is answered with the batch printed the first time."""
        for event in events:
            batch = await self._batches.find(uow, event.batch_id) or await self._print(event, uow)
            await uow.emit(_completed(batch), derived_event_id("print.completed", batch.campaign, batch.batch_id))

    async def batches(self, campaign: CampaignId) -> list[PrintBatch]:
        """Return all batches of the campaign, the oldest first."""
        return await self._batches.batches(campaign)

    async def pdf(self, campaign: CampaignId, batch_id: BatchId, *, actor: str) -> bytes | None:
        """Return the pages, after the audit line is durable; None if there are none. Raises KeyDestroyedError."""
        stored = await self._batches.load(campaign, batch_id)
        if stored is None:
            return None
        keys = self._keystore.campaign(campaign)
        await self._audit.record(
            [AuditEvent(actor, "handler", f"open-print-batch:{batch_id}", PURPOSE, campaign, None, "opened")]
        )
        return await asyncio.to_thread(stored.decrypt, keys)

    async def _print(self, event: PrintRequested, uow: UnitOfWork) -> PrintBatch:
        if event.campaign not in self._campaigns:
            raise PermanentError(f"campaign {event.campaign} is not one of this installation")
        keys = self._keystore.campaign(event.campaign)
        revealed = await self._identities.reveal(
            [order.token for order in event.items], purpose=PURPOSE, actor="print-room", case=f"batch:{event.batch_id}"
        )
        cards, failed = self._cards(event, revealed)
        printed = await asyncio.to_thread(
            print_cards, self._typesetter, self._campaigns[event.campaign], [card for _, card in cards]
        )
        batch = self._batch(event, [notice for notice, _ in cards], failed, printed)
        await self._batches.insert(uow, keys, batch, printed.pdf)
        _log.info("batch-printed", campaign=event.campaign, batch=event.batch_id, pages=batch.pages, failed=len(failed))
        return batch

    def _cards(
        self, event: PrintRequested, revealed: Mapping[Token, Revealed]
    ) -> tuple[list[tuple[NoticeId, Card]], list[CardFailure]]:
        cards, failed = [], []
        for order in event.items:
            try:
                cards.append((order.notice_id, self._card(event.campaign, order, revealed)))
            except NotPrintableError as refusal:
                failed.append(CardFailure(notice_id=order.notice_id, reason=refusal.reason))
        return cards, failed

    def _card(self, campaign: CampaignId, order: CardOrder, revealed: Mapping[Token, Revealed]) -> Card:
        known = revealed.get(order.token)
        if known is None or known.campaign != campaign:
            raise NotPrintableError("unknown-token")
        card = card_of(order, known.person, known.receipt, self._postal_codes.find(known.person.postal_code))
        if not self._typesetter.prints("".join((card.name, *card.address, card.body))):
            raise NotPrintableError("characters")
        return card

    def _batch(
        self, event: PrintRequested, notices: Sequence[NoticeId], failed: Sequence[CardFailure], printed: Printed
    ) -> PrintBatch:
        unfit = [CardFailure(notice_id=notices[index], reason="too-long") for index in sorted(printed.unfit)]
        batch = PrintBatch(
            batch_id=event.batch_id,
            campaign=event.campaign,
            pages=printed.pages,
            printed=tuple(notice for index, notice in enumerate(notices) if index not in printed.unfit),
            failed=(*failed, *unfit),
            sha256=hashlib.sha256(printed.pdf).hexdigest(),
            size=len(printed.pdf),
            printed_at=self._clock.now(),
        )
        _check_counts(event, batch)
        return batch


def _check_counts(event: PrintRequested, batch: PrintBatch) -> None:
    """Raise PermanentError if a card is missing between the order and the pages."""
    if batch.pages != 2 * len(batch.printed) or len(batch.printed) + len(batch.failed) != len(event.items):
        raise PermanentError(
            f"batch {event.batch_id}: {len(event.items)} ordered, {len(batch.printed)} printed on {batch.pages} pages, "
            f"{len(batch.failed)} failed; nothing was stored, look at the template before replaying it"
        )


def _completed(batch: PrintBatch) -> PrintCompleted:
    return PrintCompleted(
        campaign=batch.campaign,
        batch_id=batch.batch_id,
        pages=batch.pages,
        printed=batch.printed,
        failed=batch.failed,
        sha256=batch.sha256,
    )
