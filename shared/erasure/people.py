"""Erasure of one person in one service: tombstone, deletion, count and signed answer (docs/protocols.md §5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, Literal, Protocol

from shared.campaign import Campaign
from shared.contracts import PersonErased, PersonErasureRequested, StoreErasure
from shared.contracts.named_people import IsErased, Mention
from shared.erasure.counting import judge_parked, judge_store
from shared.erasure.participant import DocumentSigner
from shared.erasure.person_records import PersonRecord, PersonRecordRepository
from shared.ids import CampaignId, derived_event_id
from shared.json_types import JsonObject
from shared.logging import get_logger
from shared.periodic import attempt_each
from shared.storage import Store, UnitOfWork, people_filter

PERSON_ANSWER_CONTEXT: Final = "kuji/person-erasure-answer/2"
_NO_KEY, _NO_SIGNATURE = "0" * 16, "A" * 86
"""Placeholders of a draft; signing replaces them."""

OLDEST_TRANSACTION_S: Final = 65.0
"""MongoDB ends transactions after 60 s, or earlier where it is told to (`transactionLifetimeLimitSeconds`)."""

_log = get_logger(__name__)

ServiceName = Literal["intake", "lottery", "notifier"]


@dataclass(frozen=True)
class KnownNames:
    """Ids by which a service knows a person. `in_messages`: hashes of these alone stay in the tombstone.

    `in_records`: further ids by which records are found. A hash of one would link the person to what is public.
    """

    in_messages: frozenset[str]
    in_records: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.in_messages | self.in_records


class PersonStores(Protocol):
    """Stores of one service that hold records of a person. `names`: ids by which the service knows the person."""

    async def close(self, request: PersonErasureRequested, uow: UnitOfWork) -> KnownNames | None:
        """Take the person out of what is under way, and return the names; None if other work must end first.

        It runs in the transaction that sets the tombstone.
        """

    async def count(self, campaign: CampaignId, names: frozenset[str]) -> dict[str, int]:
        """Return the number of records about the person in each store."""

    async def delete(self, campaign: CampaignId, names: frozenset[str]) -> None:
        """Delete the records about the person. Safe to repeat."""


class Unacknowledged(Protocol):
    """Messages in the hands of this process."""

    def unacknowledged(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's messages that this process has not acknowledged yet."""


class ParkedPeople(Protocol):
    """The service's parking queue."""

    async def purge_about(self, campaign: CampaignId, is_erased: IsErased) -> int:
        """Discard the messages that are about erased people and no others; return their number."""

    async def count_about(self, campaign: CampaignId, is_erased: IsErased) -> Mapping[Mention, int]:
        """Return the number of messages by what they say about erased people."""


def have_handlers_ended(queues: Unacknowledged, campaign: CampaignId, tombstone: datetime) -> bool:
    """Return True if no transaction of this process began before the tombstone and is under way.

    Other processes may have some: whoever deletes by this answer deletes and counts again once the tombstone has aged.
    """
    return has_aged(tombstone) or not queues.unacknowledged(campaign)


def has_aged(tombstone: datetime, wait_s: float = OLDEST_TRANSACTION_S) -> bool:
    """Return True if the database has ended every transaction from before the tombstone, of whichever process."""
    return datetime.now(UTC) - tombstone >= timedelta(seconds=wait_s)


@dataclass(frozen=True)
class PersonErasures:
    """One service's part in the erasures of people. Each step may be interrupted anywhere and is safe to repeat.

    `wait_s`: seconds from the tombstone to the deletion.
    """

    service: ServiceName
    store: Store
    stores: PersonStores
    parking: ParkedPeople
    signer: DocumentSigner
    wait_s: float = OLDEST_TRANSACTION_S

    @property
    def _records(self) -> PersonRecordRepository:
        return PersonRecordRepository(self.store)

    async def on_requested(self, events: Sequence[PersonErasureRequested], uow: UnitOfWork) -> None:
        """Record what is asked for; an answer that was given before is published again, byte for byte."""
        for event in events:
            record = await self._records.find(event.erasure_id, uow)
            if record is None:
                await self._records.insert(event, uow)
            elif record.answer is not None:
                await uow.emit(PersonErased.model_validate_json(record.answer))

    async def carry_out(self, due: Campaign) -> None:
        """Do what is asked for and not answered yet. No erasure waits for one that fails."""
        await attempt_each(await self._records.unanswered(due.id), self._carry_out)

    async def _carry_out(self, record: PersonRecord) -> None:
        names, campaign = await self._close(record), record.request.campaign
        tombstone = await self.store.erased_people.find(record.erasure_id)
        if names is None or tombstone is None or not has_aged(tombstone, self.wait_s):
            return
        if record.before is None:
            await self._records.remember(record.erasure_id, await self.stores.count(campaign, names))
        await self.stores.delete(campaign, names)
        erased = (await self.store.erased_people.of_campaigns([campaign])).get(campaign, {})
        is_erased = people_filter(campaign, erased, [])
        discarded = await self.parking.purge_about(campaign, is_erased)
        left = await self.stores.count(campaign, names)
        parked = judge_parked(discarded, await self.parking.count_about(campaign, is_erased))
        current = await self._records.find(record.erasure_id)
        before = (current.before if current else None) or {}
        rows = [*(judge_store(name, before.get(name, 0), count) for name, count in left.items()), parked]
        await self._answer(record, tombstone, rows)

    async def _close(self, record: PersonRecord) -> frozenset[str] | None:
        """Set the tombstone if there is none, and return the person's names.

        None while other work must end first, and after the answer, which another process may have given meanwhile.
        """
        if record.names is not None:
            return record.names
        return await self.store.transact(partial(self._close_in, record.erasure_id))

    async def _close_in(self, erasure_id: str, uow: UnitOfWork) -> frozenset[str] | None:
        record = await self._records.find(erasure_id, uow)
        if record is None or record.answer is not None:
            return None
        if record.names is not None:
            return record.names
        names = await self.stores.close(record.request, uow)
        if names is None:
            return None
        await uow.erased_people.put(record.request.campaign, erasure_id, names.in_messages, uow.session)
        await self._records.keep_names(erasure_id, names.all, uow)
        return names.all

    async def _answer(self, record: PersonRecord, tombstone: datetime, rows: Sequence[StoreErasure]) -> None:
        draft = PersonErased(
            campaign=record.request.campaign,
            erasure_id=record.erasure_id,
            service=self.service,
            tombstone=tombstone,
            stores=tuple(rows),
            key=_NO_KEY,
            signature=_NO_SIGNATURE,
        )
        signed = self.signer.sign_document(PERSON_ANSWER_CONTEXT, answer_document(draft))
        answer = PersonErased.model_validate_json(json.dumps(signed))
        event_id = derived_event_id(answer.name, record.erasure_id, self.service, "1")

        async def publish_once(uow: UnitOfWork) -> None:
            if await self._records.put_answer(answer, uow):
                await uow.emit(answer, event_id)

        await self.store.transact(publish_once)
        _log.info("person-erasure-answered", campaign=record.request.campaign, erasure=record.erasure_id)


def answer_document(answer: PersonErased) -> JsonObject:
    """Return the answer as the document that was signed."""
    document: JsonObject = json.loads(answer.to_json())
    return document
