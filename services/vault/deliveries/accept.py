"""Admit notice documents: decide which may be sent or printed, and which are refused at once."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from services.vault.deliveries.register import RegisterReader
from services.vault.deliveries.repository import DeliveryRepository
from services.vault.deliveries.rules.checks import CheckedSlip, Flaw, Register, find_flaw, is_superseded
from services.vault.deliveries.rules.delivery import SLOTS, Delivery, Outcome, delivery_id, keys, slots
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.deliveries.slips_repository import SlipRepository
from services.vault.notices.released import ReleasedTemplates
from shared.campaign import Campaign
from shared.contracts import SLIP_CONTEXT, NoticeChannel, NoticeDocument, OutcomeSlip
from shared.ids import CampaignId, Token
from shared.logging import get_logger
from shared.service_keys import PublicKeys
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_SLOTS: Final = range(1, SLOTS + 1)


@dataclass(frozen=True)
class AcceptedDocuments:
    """Documents of one request, in order. `repeated`: ids of deliveries that were there before."""

    deliveries: tuple[Delivery, ...]
    repeated: frozenset[str]

    @property
    def fresh(self) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.id not in self.repeated]


@dataclass
class _Taken:
    """Keys, slots and rows that exist, also of documents earlier in the same request."""

    known: dict[str, Delivery]
    keys: set[str]
    slots: set[str]
    fresh: dict[str, Delivery] = field(default_factory=dict)


class DocumentAcceptance:
    """Check documents within the consumer's transaction and insert their deliveries."""

    def __init__(
        self,
        store: Store,
        campaigns: Mapping[CampaignId, Campaign],
        templates: ReleasedTemplates,
        slip_keys: PublicKeys,
    ) -> None:
        self._register, self._deliveries = RegisterReader(store), DeliveryRepository(store)
        self._slips = SlipRepository(store)
        self._campaigns, self._templates, self._slip_keys = campaigns, templates, slip_keys

    async def accept(
        self, uow: UnitOfWork, campaign: CampaignId, documents: Sequence[NoticeDocument], channel: NoticeChannel
    ) -> AcceptedDocuments:
        """Insert a delivery for each document: queued, or refused at once. Nothing is decrypted here."""
        slips = await asyncio.to_thread(self._check_slips, documents)
        tokens = {Token(token) for document in documents for token in document.recipients}
        register = await self._register.read(list(tokens), uow)
        released = {
            kind: await self._templates.texts(campaign, kind, channel) is not None
            for kind in {document.kind for document in documents}
        }
        taken = await self._taken(uow, documents)
        for document, slip in zip(documents, slips, strict=True):
            if delivery_id(document) in taken.known or delivery_id(document) in taken.fresh:
                continue
            flaw = self._find_flaw(document, campaign, channel, slip, register)
            delivery = _judge(document, flaw, register, taken, is_released=released[document.kind])
            taken.fresh[delivery.id] = delivery
        await self._deliveries.insert(uow, list(taken.fresh.values()))
        await self._slips.add_seen(uow, campaign, _newer_numbers(taken.fresh.values(), register))
        every = taken.known | taken.fresh
        rows = tuple(every[row_id] for row_id in dict.fromkeys(map(delivery_id, documents)))
        return AcceptedDocuments(rows, frozenset(taken.known))

    def _find_flaw(
        self,
        document: NoticeDocument,
        campaign: CampaignId,
        channel: NoticeChannel,
        slip: CheckedSlip | None,
        register: Register,
    ) -> Flaw | None:
        known = self._campaigns.get(campaign)
        if known is None or document.campaign != campaign or document.channel != channel:
            return "bad-form"
        return find_flaw(document, known, slip, register)

    def _check_slips(self, documents: Sequence[NoticeDocument]) -> list[CheckedSlip | None]:
        return [self._check_slip(document) for document in documents]

    def _check_slip(self, document: NoticeDocument) -> CheckedSlip | None:
        """Return the parsed slip; None without one, and for one of another form."""
        if document.slip is None:
            return None
        try:
            slip = OutcomeSlip.model_validate(document.slip)
        except ValidationError:
            return None
        return CheckedSlip(slip, self._slip_keys.verify_document(SLIP_CONTEXT, document.slip, "lottery", "signing"))

    async def _taken(self, uow: UnitOfWork, documents: Sequence[NoticeDocument]) -> _Taken:
        wanted_slots = {name for document in documents for slot in _SLOTS for name in slots(document, slot)}
        return _Taken(
            await self._deliveries.by_ids(uow, [delivery_id(document) for document in documents]),
            await self._deliveries.taken(uow, "keys", {key for document in documents for key in keys(document)}),
            await self._deliveries.taken(uow, "slots", wanted_slots),
        )


def _judge(
    document: NoticeDocument, flaw: Flaw | None, register: Register, taken: _Taken, *, is_released: bool
) -> Delivery:
    """Return the delivery, queued in a slot or refused, and take its keys and slot."""
    if flaw is None and taken.keys & set(keys(document)):
        flaw = "repeated-key"
    if flaw is not None:
        return _refuse(document, flaw)
    taken.keys |= set(keys(document))
    if is_superseded(document, register):
        return Delivery(document, Outcome(DeliveryState.SUPERSEDED))
    if not is_released:
        return Delivery(document, Outcome(DeliveryState.NOT_RELEASED))
    slot = next((slot for slot in _SLOTS if not taken.slots & set(slots(document, slot))), None)
    if slot is None:
        return _refuse(document, "too-many")
    taken.slots |= set(slots(document, slot))
    return Delivery(document, Outcome(DeliveryState.QUEUED), slot)


def _refuse(document: NoticeDocument, flaw: Flaw) -> Delivery:
    """Return an invalid delivery, and raise the alarm: no notifier that works as it should sends such a document."""
    _log.error("notice-document-invalid", campaign=document.campaign, notice=document.notice, reason=flaw)
    return Delivery(document, Outcome(DeliveryState.INVALID))


def _newer_numbers(deliveries: Iterable[Delivery], register: Register) -> dict[Token, int]:
    """Return by token the numbers of accepted slips that are newer than all seen before."""
    numbers: dict[Token, int] = {}
    for delivery in deliveries:
        document = delivery.document
        if document.slip is not None and document.token is not None and delivery.is_open:
            token = Token(document.token)
            if document.n > numbers.get(token, register.newest.get(token, 0)):
                numbers[token] = document.n
    return numbers
