"""Erasure of a campaign in one service: tombstone, deletion, measurement and signed answers (docs/protocols.md §5)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from shared.campaign import Campaign
from shared.contracts import ErasureCompleted, ErasurePhase, ErasureRequested, StoreErasure
from shared.contracts.closing import PERSON_ERASURES
from shared.erasure.counting import Queues, count_own_records, delete_own_records, judge_messages, judge_store
from shared.erasure.records import ErasureRecord, ErasureRepository
from shared.errors import ConfigurationError, PermanentError
from shared.ids import CampaignId, derived_event_id
from shared.json_types import JsonObject
from shared.logging import get_logger
from shared.storage import Store, Tombstone, UnitOfWork, delete_in_chunks

ANSWER_CONTEXT: Final = "kuji/erasure-answer/2"

_NO_KEY, _NO_SIGNATURE = "0" * 16, "A" * 86
"""Placeholders of a draft; signing replaces them."""

_log = get_logger(__name__)

ServiceName = Literal["intake", "lottery", "notifier"]


class CampaignStores(Protocol):
    """Stores of one service that hold records of a campaign."""

    async def close(self, campaign: CampaignId, erasure_id: str, uow: UnitOfWork) -> bool:
        """Stop the campaign's work, in the transaction that sets the tombstone. Return False if work must end first."""

    async def count(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of records of the campaign in each store."""

    async def delete(self, campaign: CampaignId) -> None:
        """Delete all records of the campaign. Safe to repeat."""


class DocumentSigner(Protocol):
    """The service's own key."""

    def sign_document(self, context: str, document: Mapping[str, Any]) -> JsonObject:
        """Return the document with the members `key` and `signature`."""


@dataclass(frozen=True)
class ErasureParticipant:
    """One service's part in an erasure. Each step may be interrupted anywhere and is safe to repeat."""

    service: ServiceName
    store: Store
    stores: CampaignStores
    queues: Queues
    signer: DocumentSigner

    @property
    def _records(self) -> ErasureRepository:
        return ErasureRepository(self.store)

    async def on_requested(self, events: Sequence[ErasureRequested], uow: UnitOfWork) -> None:
        """Record what is asked for; an answer that was given before is published again, byte for byte.

        Raises PermanentError for a second erasure of the same campaign.
        """
        for event in events:
            record = await self._records.find(event.campaign, uow)
            if record is not None and record.erasure_id != event.erasure_id:
                raise PermanentError("the campaign is erased under another erasure id; look at the vault's close-out")
            if record is not None and event.phase in record.answers:
                await uow.emit(ErasureCompleted.model_validate_json(record.answers[event.phase]))
            else:
                await self._records.request(event, uow)

    async def carry_out(self, due: Campaign) -> None:
        """Do what is asked for and not done yet."""
        record = await self._records.find(due.id)
        if record is None or not (record.is_due("erased") or record.is_due("measured")):
            return
        tombstone = await self._tombstone(due, record)
        if tombstone is None:
            return
        if record.is_due("erased"):
            if self.queues.unacknowledged(due.id):
                return  # their transactions began before the tombstone: delete only after they ended
            await self._erase(record)
        record = await self._records.find(due.id)
        if record is not None and "erased" in record.answers and record.is_due("measured"):
            await self._measure(record)

    async def _tombstone(self, campaign: Campaign, record: ErasureRecord) -> Tombstone | None:
        """Set the tombstone if there is none. Return None while the service must finish other work first."""

        async def set_tombstone(uow: UnitOfWork) -> Tombstone | None:
            found = await uow.tombstones.find(campaign.id, uow.session)
            if found is None and not await self.stores.close(campaign.id, record.erasure_id, uow):
                return None
            await uow.tombstones.put(campaign.id, record.erasure_id, campaign.sha256, uow.session)
            return await uow.tombstones.find(campaign.id, uow.session)

        return await self.store.transact(set_tombstone)

    async def _erase(self, record: ErasureRecord) -> None:
        """Count, delete and discard; then answer `erased`."""
        campaign = record.campaign
        if record.before is None:
            await self._records.remember(campaign, await self._count(campaign))
        await self.stores.delete(campaign)
        await delete_own_records(self.store, campaign)
        await delete_in_chunks(self.store.db[PERSON_ERASURES], {"campaign": campaign})
        await self._records.add_discarded(campaign, await self.queues.purge_campaign(campaign))
        await self._answer(campaign, "erased")

    async def _measure(self, record: ErasureRecord) -> None:
        """Discard what was parked since, and answer `measured` with new counts; nothing else is deleted any more."""
        await self._records.add_discarded(record.campaign, await self.queues.purge_campaign(record.campaign))
        await self._answer(record.campaign, "measured")

    async def _answer(self, campaign: CampaignId, phase: ErasurePhase) -> None:
        record, tombstone = await self._records.find(campaign), await self.store.tombstones.find(campaign)
        if record is None or tombstone is None:
            return
        stores = await self._rows(record)
        draft = ErasureCompleted(
            campaign=campaign,
            erasure_id=record.erasure_id,
            service=self.service,
            phase=phase,
            tombstone=tombstone.at,
            dropped=tombstone.dropped,
            stores=tuple(stores),
            key=_NO_KEY,
            signature=_NO_SIGNATURE,
        )
        signed = self.signer.sign_document(ANSWER_CONTEXT, signed_document(draft))
        answer = ErasureCompleted.model_validate_json(json.dumps(signed))
        event_id = derived_event_id(answer.name, record.erasure_id, self.service, phase)

        async def publish_once(uow: UnitOfWork) -> None:
            if await self._records.put_answer(answer, uow):
                await uow.emit(answer, event_id)

        await self.store.transact(publish_once)
        _log.info("erasure-answered", campaign=campaign, erasure=record.erasure_id, state=phase)

    async def _rows(self, record: ErasureRecord) -> list[StoreErasure]:
        """Return one row for each store, from reads after the deletion."""
        before, after = record.before or {}, await self._count(record.campaign)
        return [
            *(judge_store(name, before.get(name, 0), left) for name, left in after.items()),
            *await judge_messages(self.queues, record.campaign, record.discarded),
        ]

    async def _count(self, campaign: CampaignId) -> dict[str, int]:
        people = await self.store.db[PERSON_ERASURES].count_documents({"campaign": campaign})
        own = {**await count_own_records(self.store, campaign), PERSON_ERASURES: people}
        return {**await self.stores.count(campaign), **own}


def signed_document(answer: ErasureCompleted) -> JsonObject:
    """Return the answer as the document that was signed."""
    document: JsonObject = json.loads(answer.to_json())
    return document


async def refuse_erased_ids(store: Store, campaigns: Iterable[Campaign]) -> None:
    """Check that no campaign file reuses the id of an erased campaign. Called at start.

    The erased campaign's own file may stay: its pages and its certificate are still shown. Raises ConfigurationError.
    """
    for campaign in campaigns:
        tombstone = await store.tombstones.find(campaign.id)
        if tombstone is not None and tombstone.campaign_sha256 != campaign.sha256:
            raise ConfigurationError(
                f"campaign {campaign.id} was erased on {tombstone.at:%Y-%m-%d}; give the new campaign another id"
            )
