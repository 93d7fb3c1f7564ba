"""Carry out the erasures of people step by step. Each step may be interrupted anywhere and done again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.vault.applications.rules.subject_request import RequestState
from services.vault.applications.subject_request_repository import Step, SubjectRequestRepository
from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.answers import AnswerKeys
from services.vault.closeout.rules.required_stores import OTHER_SERVICES
from services.vault.keys.erased_people import list_erased_people
from services.vault.keys.keystore import Keystore
from services.vault.person_erasure.certificate_page import certificate_page
from services.vault.person_erasure.order import PURPOSE, PersonErasureOrders
from services.vault.person_erasure.repository import (
    CERTIFIED,
    EMPTIED,
    ORDERED,
    PersonErasureRecord,
    PersonErasureRepository,
    PersonNames,
)
from services.vault.person_erasure.rules.certificate import PersonFindings, complete_rows, issue, verdict_of
from services.vault.person_erasure.stores import PersonStores
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import PersonErased, StoreErasure
from shared.erasure import (
    PERSON_ANSWER_CONTEXT,
    answer_document,
    has_aged,
    have_handlers_ended,
    judge_parked,
    judge_store,
)
from shared.erasure.people import ParkedPeople, Unacknowledged
from shared.logging import get_logger
from shared.periodic import attempt_each
from shared.storage import Store, UnitOfWork, people_filter
from shared.typesetting import Typesetter

_CLEAN: Final = frozenset({"PASS", "PENDING"})
"""Verdicts with which a request is done; with any other the deletion and the count are repeated."""

_log = get_logger(__name__)


@dataclass(frozen=True)
class PersonErasureSteps:
    """Parts that the steps need."""

    store: Store
    orders: PersonErasureOrders
    keystore: Keystore
    audit: AuditLog
    queues: Unacknowledged
    parking: ParkedPeople
    keys: AnswerKeys
    typesetter: Typesetter
    clock: Clock
    forget_papers: Callable[[Iterable[str]], None]

    @property
    def repository(self) -> PersonErasureRepository:
        return PersonErasureRepository(self.store)

    async def repeat_restored(self) -> None:
        """Erase people again whom a copy of the databases brought back. Called at start, before anything is used."""
        for person in list_erased_people(self.keystore.folder):
            if not self.keystore.fingerprint_of_destroyed(person.campaign) and await self.orders.repeat(person):
                record = await self.repository.find(person.erasure_id)
                if record is not None and record.names is not None:
                    await self._delete(record, record.names)
                _log.warning("person-erased-again", campaign=person.campaign, erasure=person.erasure_id)

    async def on_erased(self, events: Sequence[PersonErased], uow: UnitOfWork) -> None:
        """Keep each answer that its own service signed; a different one for the same erasure is a contradiction."""
        for event in events:
            if not self.keys.verify_document(PERSON_ANSWER_CONTEXT, answer_document(event), event.service):
                _log.error("erasure-answer-refused", campaign=event.campaign, service=event.service, state="person")
                continue
            record = await self.repository.find(event.erasure_id, uow)
            if record is None or record.campaign != event.campaign or record.stage == CERTIFIED:
                continue
            kept = record.answers.get(event.service)
            if kept is None:
                await self.repository.put_answer(event, uow)
            elif kept != event.to_json().decode("utf-8"):
                await self.repository.contradict(event, uow)

    async def carry_out(self, campaign: Campaign) -> None:
        """Go as far as possible now with each erasure; to be called again until it is certified."""

        async def advance(record: PersonErasureRecord) -> None:
            if record.stage == ORDERED:
                await self._empty(record)
            elif not set(OTHER_SERVICES) - record.answers.keys():
                await self._certify(campaign, record)

        await attempt_each(await self.repository.under_way(campaign.id), advance)

    async def _empty(self, record: PersonErasureRecord) -> None:
        tombstone = await self.store.erased_people.find(record.erasure_id)
        if (
            record.names is None
            or tombstone is None
            or not have_handlers_ended(self.queues, record.campaign, tombstone)
        ):
            return
        await self._delete(record, record.names)
        await self.repository.advance(record.erasure_id, ORDERED, EMPTIED, {})

    async def _delete(self, record: PersonErasureRecord, names: PersonNames) -> None:
        """Delete what is there; the first time what it was is kept, with the papers of which nobody else is left."""
        campaign, stores, papers = record.campaign, PersonStores(self.store), names.papers
        if record.before is None:
            papers = await stores.own_papers(campaign, names)
            names = replace(names, papers=papers)
            before, cards = await stores.count(campaign, names), await stores.unseparable(campaign, names)
            await self.repository.remember(record.erasure_id, before, cards, papers)
            await self.store.erased_people.put(campaign, record.erasure_id, papers)
        await stores.delete(campaign, names)
        self.forget_papers(papers)
        erased = (await self.store.erased_people.of_campaigns([campaign])).get(campaign, {})
        discarded = await self.parking.purge_about(campaign, people_filter(campaign, erased, []))
        await self.repository.add_discarded(record.erasure_id, discarded)

    async def _certify(self, campaign: Campaign, record: PersonErasureRecord) -> None:
        """Delete and count once more, and issue the certificate; one without residue brings the request on.

        It is too early while a transaction from before the tombstone may be under way, in whichever process.
        """
        tombstone = await self.store.erased_people.find(record.erasure_id)
        if record.names is None or tombstone is None or not has_aged(tombstone):
            return
        await self._delete(record, record.names)
        record = await self.repository.find(record.erasure_id) or record
        services = {
            service: complete_rows(service, record.rows_of(service) or (), contradicted=service in record.contradicted)
            for service in OTHER_SERVICES
        }
        services["vault"] = complete_rows("vault", await self._own_rows(record))
        verdict = verdict_of(services)
        if verdict not in _CLEAN and verdict == record.verdict:
            return
        checkpoint = await self.audit.checkpoint()
        findings = PersonFindings(
            certificate_id=record.erasure_id,
            campaign=campaign.id,
            contract_title=campaign.contract.title,
            rehearsal=campaign.rehearsal,
            receipt="" if record.names is None else record.names.receipt,
            request=record.request or "",
            decided_by=record.decided_by,
            carried_out_by=record.carried_out_by,
            started_at=record.started_at,
            finished_at=self.clock.now(),
            services=services,
            audit_checkpoint=None if checkpoint is None else {"size": checkpoint.size, "note": checkpoint.note},
        )
        certificate = issue(findings, self.keystore.signing)
        page = await asyncio.to_thread(certificate_page, self.typesetter, campaign, certificate)
        action, outcome = f"person-erasure:{record.erasure_id}", f"certified:{verdict}"
        await self.audit.record([AuditEvent("vault", "service", action, PURPOSE, campaign.id, None, outcome)])
        facts = {"certificate": certificate, "page": page, "verdict": verdict}
        if verdict not in _CLEAN:
            await self.repository.keep_verdict(record.erasure_id, facts)
            _log.error(
                "person-erasure-left-something", campaign=campaign.id, erasure=record.erasure_id, verdict=verdict
            )
            return

        async def finish(uow: UnitOfWork) -> None:
            if await self.repository.advance(record.erasure_id, EMPTIED, CERTIFIED, facts, uow) and record.request:
                done = Step(RequestState.DONE, record.carried_out_by, self.clock.now())
                await SubjectRequestRepository(self.store).advance(record.request, done, uow)

        await self.store.transact(finish)
        _log.info("person-erasure-certified", campaign=campaign.id, erasure=record.erasure_id)

    async def _own_rows(self, record: PersonErasureRecord) -> list[StoreErasure]:
        names, campaign = record.names, record.campaign
        if names is None:
            return []
        left, before = await PersonStores(self.store).count(campaign, names), record.before or {}
        erased = (await self.store.erased_people.of_campaigns([campaign])).get(campaign, {})
        parked = await self.parking.count_about(campaign, people_filter(campaign, erased, []))
        return [
            *(judge_store(store, before.get(store, 0), count) for store, count in left.items()),
            *(StoreErasure.model_validate(row) for row in record.cards),
            judge_parked(record.discarded, parked),
        ]
