"""Order the erasure of one person: after the ward granted the request, by another person, with the receipt typed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.vault.applications.matching import COPY
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.content import Withdrawal
from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.rules.subject_request import RequestKind, RequestState
from services.vault.applications.stored import StoredApplication
from services.vault.applications.subject_request_repository import SubjectRequest, SubjectRequestRepository
from services.vault.applications.verdicts import Arrival, OpenedVersion, VerdictWriter
from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.rules.stages import Stage
from services.vault.keys.erased_people import ErasedPerson, add_erased_person
from services.vault.keys.folder_lease import keys_lease
from services.vault.keys.keystore import Keystore
from services.vault.papers.repository import COLLECTION as PAPERS
from services.vault.people.rules.account import Account
from services.vault.person_erasure.repository import (
    ORDERED,
    PersonErasureRecord,
    PersonErasureRepository,
    PersonNames,
)
from shared.campaign import Campaign
from shared.clock import Clock
from shared.codes import Code
from shared.contracts import Channel, PersonErasureRequested
from shared.errors import RefusedError
from shared.ids import ApplicationId, CampaignId, Receipt, derived_event_id
from shared.logging import get_logger
from shared.receipts import LETTERS, normalise_receipt
from shared.storage import Store, UnitOfWork

PURPOSE: Final = "subject-request"

_log = get_logger(__name__)


class PersonErasureRefusedError(RefusedError):
    """Raised when nothing was ordered. `reason`: `unknown`, `not-granted`, `same-person`, `typed`, `closing`."""


class PersonErasureOrders:
    """Take orders. Withdrawal, tombstone, record and the request to the other services are one transaction."""

    def __init__(
        self,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
        verdicts: VerdictWriter,
        clock: Clock,
    ) -> None:
        self._store, self._keystore, self._audit, self._campaigns = store, keystore, audit, campaigns
        self._verdicts, self._clock = verdicts, clock
        self._applications, self._requests = ApplicationRepository(store), SubjectRequestRepository(store)
        self._closeouts, self._erasures = CloseOutRepository(store), PersonErasureRepository(store)

    async def order(self, account: Account, request_id: str, typed: str) -> None:
        """Order the erasure; ordering it again changes nothing. Raises PersonErasureRefusedError.

        The id follows from the request: whoever orders again after a crash, or twice at once, orders the same erasure.
        """
        if await self._erasures.of_request(request_id) is not None:
            return
        request, application = await self._checked(account, request_id, typed)
        erasure_id, campaign = f"person-{request.id}", request.campaign
        subject = self._keystore.campaign(campaign).subject_of(application.application_id)
        role = "+".join(sorted(account.roles))
        line = AuditEvent(account.id, role, f"person-erasure:{erasure_id}", PURPOSE, campaign, subject, "ordered")
        await self._audit.record([line])
        asked = ErasedPerson(campaign, erasure_id, application.receipt, request.id, _decided_by(request), account.id)
        async with keys_lease(self._store).held():
            keystore = self._keystore
            person = await asyncio.to_thread(add_erased_person, keystore.folder, asked, keystore.lock_wait_s)
        if not await self._store.transact(lambda uow: self._write(uow, person, application.application_id)):
            raise PersonErasureRefusedError("unknown")

    async def repeat(self, person: ErasedPerson) -> bool:
        """Erase a person again who came back with a copy of the databases; return False where that is not so.

        A receipt number that the vault does not know gets its tombstone, too: another service may know it, and what
        is still on its way names it.
        """
        if await self._store.erased_people.find(person.erasure_id) is not None:
            return False
        if person.campaign not in self._campaigns:
            _log.warning("erased-person-of-unknown-campaign", campaign=person.campaign, erasure=person.erasure_id)
            return False
        line = AuditEvent(
            "vault", "service", f"person-erasure:{person.erasure_id}", PURPOSE, person.campaign, None, "repeated"
        )
        await self._audit.record([line])
        found = await self._applications.by_receipt(person.campaign, person.receipt)
        known = found[0].application_id if found else None
        return await self._store.transact(lambda uow: self._write(uow, person, known))

    async def _checked(self, account: Account, request_id: str, typed: str) -> tuple[SubjectRequest, StoredApplication]:
        request = await self._requests.find(request_id)
        if request is None or request.kind is not RequestKind.ERASURE or request.campaign not in self._campaigns:
            raise PersonErasureRefusedError("unknown")
        if request.state is not RequestState.GRANTED:
            raise PersonErasureRefusedError("not-granted")
        if account.id == _decided_by(request):
            raise PersonErasureRefusedError("same-person")
        if not _is_receipt(typed, request.receipt):
            raise PersonErasureRefusedError("typed")
        if (await self._closeouts.find(request.campaign)).stage is not Stage.OPEN:
            raise PersonErasureRefusedError("closing")
        application = await self._applications.find(request.application_id)
        if application is None:
            raise PersonErasureRefusedError("unknown")
        return request, application

    async def _write(self, uow: UnitOfWork, person: ErasedPerson, application_id: ApplicationId | None) -> bool:
        """Write everything that the order is; return False if the application went away meanwhile.

        The record's id is the guard: another one who ordered the same erasure meanwhile has written all of it.
        """
        campaign, now = person.campaign, self._clock.now()
        if await self._erasures.find(person.erasure_id, uow) is not None:
            return True
        known = await self._applications.by_ids(uow, campaign, {application_id} if application_id else set())
        if application_id is not None and application_id not in known:
            return False
        names, version, channel = PersonNames(person.receipt), 1, _channel_of(person.receipt)
        for application in known.values():
            if now < self._campaigns[campaign].draw.at and application.state is not ApplicationState.WITHDRAWN:
                await self._verdicts.write(uow, campaign, known, [_withdrawal(application, now)])
            names, version, channel = await self._names(uow, application), application.version, application.channel
        await uow.erased_people.put(campaign, person.erasure_id, names.in_messages, uow.session)
        record = PersonErasureRecord(
            person.erasure_id, campaign, ORDERED, now, person.request, person.decided_by, person.carried_out_by, names
        )
        await self._erasures.insert(record, uow)
        asked = PersonErasureRequested(
            campaign=campaign, erasure_id=person.erasure_id, receipt=person.receipt, version=version, channel=channel
        )
        await uow.emit(asked, derived_event_id(asked.name, person.erasure_id, now.isoformat()))
        return True

    async def _names(self, uow: UnitOfWork, application: StoredApplication) -> PersonNames:
        campaign, own = application.campaign, application.application_id
        content = application.keys.get(COPY)
        rows = await self._applications.with_contents(uow, campaign, [content] if content else [], copies=True)
        shared = any(row.application_id != own for row in rows)
        query = {"campaign": campaign, "application_ids": [own]}
        papers = [row["_id"] async for row in uow.db[PAPERS].find(query, {"_id": 1}, session=uow.session)]
        return PersonNames(
            application.receipt, own, application.token, application.entry, None if shared else content, tuple(papers)
        )


def _withdrawal(application: StoredApplication, now: datetime) -> OpenedVersion:
    """Return the withdrawal as which the erasure counts before the draw."""
    arrival = Arrival(
        application.application_id, application.receipt, application.version + 1, application.channel, now
    )
    return OpenedVersion(arrival, Withdrawal(Code("")), application.entry, application.proof_sha256, None, {})


def _channel_of(receipt: Receipt) -> Channel:
    """Return the channel that the first letter of a receipt number names."""
    return next((channel for channel, letter in LETTERS.items() if receipt.startswith(letter)), "web")


def _decided_by(request: SubjectRequest) -> str:
    """Return the account that granted the request."""
    return next((step.actor for step in request.steps if step.state is RequestState.GRANTED), "")


def _is_receipt(typed: str, receipt: Receipt) -> bool:
    """Return True if the person typed this receipt number, in any usual way of writing it."""
    try:
        return normalise_receipt(typed) == receipt
    except ValueError:
        return False
