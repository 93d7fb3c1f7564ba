"""Print cards: turn notice documents into pages, stored encrypted until staff print them (R-B8, R-C6)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import TemplateError

from services.vault.audit import AuditLog
from services.vault.deliveries.accept import AcceptedDocuments, DocumentAcceptance
from services.vault.deliveries.register import RegisterReader
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.checks import Register, registered
from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.identities.person import AS_DRAWN
from services.vault.identities.reveal import Identities, Revealed
from services.vault.keys.keystore import Keystore
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.shown import SHOWN
from services.vault.notices.rules.texts import NoticeTexts
from services.vault.printroom.cards import card_of
from services.vault.printroom.postcards import Card, Printed, print_cards
from services.vault.printroom.repository import PrintBatch, PrintBatchRepository
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import CardFailure, PrintCompleted, PrintRequested
from shared.errors import PermanentError
from shared.ids import CampaignId, Token, derived_event_id
from shared.logging import describe, get_logger
from shared.postal_codes import PostalCodes
from shared.storage import Store, UnitOfWork
from shared.typesetting import Typesetter

PURPOSE = "print"

_log = get_logger(__name__)


@dataclass(frozen=True)
class _Facts:
    """Everything that the cards of a batch need, by token and by kind."""

    revealed: Mapping[Token, Revealed] = field(repr=False)
    register: Register = field(repr=False)
    texts: Mapping[str, NoticeTexts | None]


class PrintRoom:
    """Handle `print.requested`."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        clock: Clock,
        typesetter: Typesetter,
        acceptance: DocumentAcceptance,
        templates: ReleasedTemplates,
    ) -> None:
        self._batches, self._deliveries = PrintBatchRepository(store), DeliveryRepository(store)
        self._register = RegisterReader(store)
        self._identities, self._keystore, self._audit = identities, keystore, audit
        self._campaigns, self._clock, self._typesetter = campaigns, clock, typesetter
        self._acceptance, self._templates = acceptance, templates
        self._postal_codes = PostalCodes()

    async def on_requested(self, events: Sequence[PrintRequested], uow: UnitOfWork) -> None:
        """Print each batch once; a repeated order is answered with the batch printed the first time."""
        for event in events:
            batch = await self._batches.find(uow, event.batch_id) or await self._print(event, uow)
            await uow.emit(_completed(batch), derived_event_id("print.completed", batch.campaign, batch.batch_id))

    async def _print(self, event: PrintRequested, uow: UnitOfWork) -> PrintBatch:
        if event.campaign not in self._campaigns:
            raise PermanentError(f"campaign {event.campaign} is not one of this installation")
        keys = self._keystore.campaign(event.campaign)
        accepted = await self._acceptance.accept(uow, event.campaign, event.items, "card")
        fresh = [delivery for delivery in accepted.fresh if delivery.is_open]
        facts = await self._read_facts(event, fresh)
        cards, outcomes = await asyncio.to_thread(self._cards, fresh, facts)
        printed = await asyncio.to_thread(
            print_cards, self._typesetter, self._campaigns[event.campaign], [card for _, card in cards]
        )
        for index, (delivery, _) in enumerate(cards):
            is_printed = index not in printed.unfit
            outcomes[delivery.id] = DeliveryState.PRINTED if is_printed else DeliveryState.NOT_PRINTABLE
        await self._deliveries.settle(uow, {row_id: Outcome(state) for row_id, state in outcomes.items()})
        batch = self._batch(event, accepted, outcomes, printed)
        await self._batches.insert(uow, keys, batch, printed.pdf)
        count = len(batch.failed)
        _log.info("batch-printed", campaign=event.campaign, batch=event.batch_id, pages=batch.pages, failed=count)
        return batch

    async def _read_facts(self, event: PrintRequested, fresh: Sequence[Delivery]) -> _Facts:
        tokens = [token for delivery in fresh for token in delivery.tokens]
        kinds = {delivery.document.kind for delivery in fresh}
        return _Facts(
            await self._identities.reveal(tokens, purpose=PURPOSE, actor="print-room", case=f"batch:{event.batch_id}"),
            await self._register.read(tokens),
            {kind: await self._templates.texts(event.campaign, kind, "card") for kind in kinds},
        )

    def _cards(
        self, fresh: Sequence[Delivery], facts: _Facts
    ) -> tuple[list[tuple[Delivery, Card]], dict[str, DeliveryState]]:
        """Return the cards in the order of the documents, and the states of those that make none."""
        cards, failed = [], {}
        for delivery in fresh:
            try:
                card = self._card(delivery, facts)
            except (TemplateError, ValueError, LookupError) as error:
                _log.error("card-not-composed", notice=delivery.notice, **describe(error))
                card = None
            if card is None:
                failed[delivery.id] = DeliveryState.NOT_PRINTABLE
            else:
                cards.append((delivery, card))
        return cards, failed

    def _card(self, delivery: Delivery, facts: _Facts) -> Card | None:
        """Return the card; None if it has a character of no font here, or drawn ones, or if no person is revealed."""
        token, texts = delivery.tokens[0], facts.texts[delivery.document.kind]
        known = facts.revealed.get(token)
        if known is None or texts is None:
            return None
        entry, person = facts.register.entries[token], known.person
        body = texts.card(delivery.document, delivery.slip, registered(entry, person.name), self._clock.now())
        shown = SHOWN[KINDS[delivery.document.kind].source, self._campaigns[delivery.campaign].post]
        postal_code = self._postal_codes.find(person.postal_code)
        card = card_of(body, delivery.slip, known, entry, postal_code, shown)
        is_as_drawn = AS_DRAWN in "".join((card.name, *card.address))
        prints = self._typesetter.prints("".join((card.name, *card.address, card.body)))
        return card if prints and not is_as_drawn else None

    def _batch(
        self,
        event: PrintRequested,
        accepted: AcceptedDocuments,
        outcomes: Mapping[str, DeliveryState],
        printed: Printed,
    ) -> PrintBatch:
        states = {
            delivery.id: outcomes.get(delivery.id, _state_of_earlier(delivery, accepted))
            for delivery in accepted.deliveries
        }
        batch = PrintBatch(
            batch_id=event.batch_id,
            campaign=event.campaign,
            pages=printed.pages,
            printed=tuple(one.notice for one in accepted.deliveries if states[one.id] is DeliveryState.PRINTED),
            failed=tuple(
                CardFailure.model_validate({"notice_id": one.notice, "reason": states[one.id].value})
                for one in accepted.deliveries
                if states[one.id] is not DeliveryState.PRINTED
            ),
            size=len(printed.pdf),
            printed_at=self._clock.now(),
        )
        _check_counts(event, batch)
        return batch


def _state_of_earlier(delivery: Delivery, accepted: AcceptedDocuments) -> DeliveryState:
    """Return the state of a card that this batch does not print: one of an earlier batch is not printed again."""
    if delivery.id in accepted.repeated:
        return DeliveryState.INVALID
    return delivery.outcome.state


def _check_counts(event: PrintRequested, batch: PrintBatch) -> None:
    """Raise PermanentError if a card is missing between the order and the pages."""
    ordered = len({(item.notice, item.attempt) for item in event.items})
    if batch.pages != 2 * len(batch.printed) or len(batch.printed) + len(batch.failed) != ordered:
        raise PermanentError(
            f"batch {event.batch_id}: {ordered} ordered, {len(batch.printed)} printed on {batch.pages} pages, "
            f"{len(batch.failed)} failed; nothing was stored, look at the template before replaying it"
        )


def _completed(batch: PrintBatch) -> PrintCompleted:
    return PrintCompleted(
        campaign=batch.campaign,
        batch_id=batch.batch_id,
        pages=batch.pages,
        printed=batch.printed,
        failed=batch.failed,
    )
