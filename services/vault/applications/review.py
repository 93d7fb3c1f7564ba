"""Let a person decide about held applications. The queue holds ids and reasons, never a name."""

from dataclasses import dataclass
from typing import Literal

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.states import DECISIONS, ApplicationState
from services.vault.applications.stored import StoredApplication
from services.vault.applications.verdicts import VerdictWriter
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
        self._applications, self._verdicts = ApplicationRepository(store), VerdictWriter(store)

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
        subject = self._keystore.campaign(campaign).subject_of(application_id)
        action = f"review:{decision.decision}"
        audit_event = AuditEvent(decision.actor, "handler", action, "review", campaign, subject, decision.reason)

        async def write_decision(uow: UnitOfWork) -> ApplicationState:
            known = await self._applications.by_ids(uow, campaign, {application_id})
            held = known.get(application_id)
            target = ApplicationState.ACCEPTED if decision.decision == "accept" else ApplicationState.REJECTED
            if held is None or not DECISIONS.allows(held.state, target):
                raise NotHeldError(held.state if held else None)
            order = await self._verdicts.load(uow, campaign, [held])
            if target is ApplicationState.ACCEPTED:
                decided = order.accept(application_id, decision.actor)
            else:
                decided = order.reject(application_id, decision.reason, decision.actor)
            await self._audit.record([audit_event])
            await self._verdicts.save(uow, campaign, order)
            return decided.state

        return await self._store.transact(write_decision)
