"""Let a person decide about held applications. The queue holds ids and reasons, never a name."""

from dataclasses import dataclass
from typing import Literal

from services.vault.applications.events import publish_verdicts
from services.vault.applications.index_repository import BlindIndexRepository
from services.vault.applications.repository import ApplicationRepository, StoredApplication
from services.vault.applications.rules.states import ApplicationState
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Store, UnitOfWork


class NotHeldError(KujiError):
    """Raised when an application does not wait for a decision. `state` is its state, None if it is unknown."""

    def __init__(self, state: str | None) -> None:
        super().__init__("not waiting for a decision")
        self.state = state


@dataclass(frozen=True)
class ReviewDecision:
    """A handler's decision; `reason` is a code (`duplicate`, `namesake`), never a sentence."""

    decision: Literal["accept", "reject"]
    reason: str
    actor: str


@dataclass(frozen=True)
class HeldEntry:
    """A held application, and the receipt number of the application that it matches, if any."""

    application: StoredApplication
    match_receipt: Receipt | None


class ReviewQueue:
    """Read the held applications of a campaign and write decisions about them."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog) -> None:
        self._store, self._keystore, self._audit = store, keystore, audit
        self._applications = ApplicationRepository(store)

    async def held(self, campaign: CampaignId) -> list[HeldEntry]:
        """Return the applications that wait for a decision, the longest waiting first."""
        held = await self._applications.held(campaign)
        receipts = await self._applications.receipts([one.match.application_id for one in held if one.match])
        return [HeldEntry(one, receipts.get(one.match.application_id) if one.match else None) for one in held]

    async def decide(
        self, campaign: CampaignId, application_id: ApplicationId, decision: ReviewDecision
    ) -> ApplicationState:
        """Decide a held application and return its new state.

        Raises NotHeldError if it is not waiting any more or does not exist; VaultLockedError.
        """
        state = ApplicationState.ACCEPTED if decision.decision == "accept" else ApplicationState.REJECTED
        subject = self._keystore.campaign(campaign).subject_of(application_id)
        action = f"review:{decision.decision}"
        audit_event = AuditEvent(decision.actor, "handler", action, "review", campaign, subject, decision.reason)

        async def write_decision(uow: UnitOfWork) -> ApplicationState:
            decided = await self._write(uow, campaign, application_id, state, decision)
            if state is ApplicationState.REJECTED:
                await BlindIndexRepository(uow, campaign).remove(application_id)
            await self._audit.record([audit_event])
            await publish_verdicts(uow, campaign, [decided])
            return state

        return await self._store.transact(write_decision)

    async def _write(
        self,
        uow: UnitOfWork,
        campaign: CampaignId,
        application_id: ApplicationId,
        state: ApplicationState,
        decision: ReviewDecision,
    ) -> StoredApplication:
        reasons = [decision.reason] if state is ApplicationState.REJECTED else []
        decided = await self._applications.decide(
            uow, campaign, application_id, state, reasons=reasons, decided_by=decision.actor
        )
        if decided is None:
            raise NotHeldError(await self._applications.state(uow, campaign, application_id))
        return decided
