"""Settle a paper by a handler's word: keyed into applications, or discarded with a reason. Publish it to intake."""

from dataclasses import dataclass
from typing import Literal

from services.vault.applications.repository import ApplicationRepository
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.papers.inbox import PURPOSE, UnknownPaperError
from services.vault.papers.repository import PaperRepository
from services.vault.papers.rules.states import PaperState
from shared.contracts import PaperSettled
from shared.ids import ApplicationId, CampaignId, PaperId, derived_event_id
from shared.storage import Store, UnitOfWork


class AlreadySettledError(Exception):
    """Raised when another handler settled the paper before; `state` is its state."""

    def __init__(self, state: PaperState) -> None:
        super().__init__(state.value)
        self.state = state


class NotArrivedError(Exception):
    """Raised when a named application is not in the vault as paper of this campaign (yet)."""


@dataclass(frozen=True)
class Settlement:
    """A handler's word. `reason` is a code (`blank`, `duplicate`), never a sentence; keyed papers name applications."""

    decision: Literal["keyed", "discarded"]
    actor: str
    application_ids: tuple[ApplicationId, ...] = ()
    reason: str | None = None


class PaperSettler:
    """Write settlements, each once."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog) -> None:
        self._store, self._keystore, self._audit = store, keystore, audit
        self._papers, self._applications = PaperRepository(store), ApplicationRepository(store)

    async def settle(self, campaign: CampaignId, paper_id: PaperId, settlement: Settlement) -> PaperState:
        """Settle a paper and return its new state.

        Raises UnknownPaperError, AlreadySettledError, NotArrivedError, KeyDestroyedError, VaultLockedError.
        """
        state = PaperState(settlement.decision)
        subject = self._keystore.campaign(campaign).subject_of(paper_id)
        action, outcome = f"paper:{state}", settlement.reason or "keyed"
        audit_event = AuditEvent(settlement.actor, "handler", action, PURPOSE, campaign, subject, outcome)

        async def write_settlement(uow: UnitOfWork) -> PaperState:
            # An application lost on its way would be looked for by no one, if its paper counted as keyed.
            if not await self._applications.are_paper(uow, campaign, settlement.application_ids):
                raise NotArrivedError
            await self._write(uow, campaign, paper_id, state, settlement)
            await self._audit.record([audit_event])
            settled = PaperSettled(campaign=campaign, paper_id=paper_id, state=settlement.decision)
            await uow.emit(settled, derived_event_id(PaperSettled.name, paper_id))
            return state

        return await self._store.transact(write_settlement)

    async def _write(
        self, uow: UnitOfWork, campaign: CampaignId, paper_id: PaperId, state: PaperState, settlement: Settlement
    ) -> None:
        settled = await self._papers.settle(
            uow,
            campaign,
            paper_id,
            state,
            application_ids=settlement.application_ids,
            settled_by=settlement.actor,
            reason=settlement.reason,
        )
        if settled:
            return
        current = await self._papers.state(uow, campaign, paper_id)
        if current is None:
            raise UnknownPaperError
        raise AlreadySettledError(current)
