"""What a handler says became of a paper: keyed into applications, or put aside with a reason. Said to intake."""

from dataclasses import dataclass
from typing import Any, Literal

from services.vault.applications import repository as register
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.papers import archive
from services.vault.papers.inbox import PURPOSE, UnknownPaperError
from services.vault.papers.rules.states import PaperState, before
from shared.contracts import PaperSettled
from shared.ids import ApplicationId, CampaignId, PaperId, derived_event_id
from shared.storage import Store, UnitOfWork


class AlreadySettledError(Exception):
    """Somebody was faster; `state` is where the paper is."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class NotArrivedError(Exception):
    """An application that was named is not in the vault as paper of this campaign (yet)."""


@dataclass(frozen=True)
class Settlement:
    """`reason` is a code (`blank`, `duplicate`), never a sentence; `application_ids` where it was keyed."""

    decision: Literal["keyed", "discarded"]
    actor: str
    application_ids: tuple[ApplicationId, ...] = ()
    reason: str | None = None


class PaperSettler:
    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog) -> None:
        self._store, self._keystore, self._audit = store, keystore, audit

    async def settle(self, campaign: CampaignId, paper_id: PaperId, settlement: Settlement) -> PaperState:
        """Settle a paper and return its new state.

        Raises UnknownPaperError, AlreadySettledError, NotArrivedError, KeyDestroyedError, VaultLockedError.
        """
        target = PaperState(settlement.decision)
        subject = self._keystore.campaign(campaign).subject_of(paper_id)
        action, outcome = f"paper:{target}", settlement.reason or "keyed"
        written = AuditEvent(settlement.actor, "handler", action, PURPOSE, campaign, subject, outcome)

        async def work(uow: UnitOfWork) -> PaperState:
            await _check_arrived(uow, campaign, settlement.application_ids)
            await _move(uow, campaign, paper_id, target, settlement)
            await self._audit.record([written])
            settled = PaperSettled(campaign=campaign, paper_id=paper_id, state=settlement.decision)
            await uow.emit(settled, derived_event_id(PaperSettled.name, paper_id))
            return target

        return await self._store.transact(work)


async def _check_arrived(uow: UnitOfWork, campaign: CampaignId, wanted: tuple[ApplicationId, ...]) -> None:
    """Only what the vault holds counts as keyed, or an application could be lost on the way and nobody look for it."""
    query = {"_id": {"$in": list(wanted)}, "campaign": campaign, "channel": {"$in": ["fax", "post"]}}
    if await uow.db[register.COLLECTION].count_documents(query, session=uow.session) != len(set(wanted)):
        raise NotArrivedError


async def _move(
    uow: UnitOfWork, campaign: CampaignId, paper_id: PaperId, target: PaperState, settlement: Settlement
) -> None:
    papers, here = uow.db[archive.COLLECTION], {"_id": paper_id, "campaign": campaign}
    change: dict[str, Any] = {
        "state": target,
        "application_ids": list(settlement.application_ids),
        "settled_by": settlement.actor,
    }
    if settlement.reason is not None:
        change["reason"] = settlement.reason
    moved = await papers.update_one({**here, "state": {"$in": before(target)}}, {"$set": change}, session=uow.session)
    if not moved.modified_count:
        found = await papers.find_one(here, {"state": 1}, session=uow.session)
        if found is None:
            raise UnknownPaperError
        raise AlreadySettledError(found["state"])
