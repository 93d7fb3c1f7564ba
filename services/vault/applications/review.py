"""The desk: what a person decides about held applications. Shows ids and reasons, never who."""

from dataclasses import dataclass
from typing import Any, Literal

from services.vault.applications import duplicates
from services.vault.applications import repository as register
from services.vault.applications.events import publish_verdicts
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId
from shared.storage import ReturnDocument, Store, UnitOfWork


class NotHeldError(KujiError):
    """The application is not waiting for a decision (any more). `state` is where it is, None where it is unknown."""

    def __init__(self, state: str | None) -> None:
        super().__init__("not waiting for a decision")
        self.state = state


@dataclass(frozen=True)
class ReviewDecision:
    """What somebody at the desk decided; `reason` is a code (`duplicate`, `namesake`), never a sentence."""

    decision: Literal["accept", "reject"]
    reason: str
    actor: str


class ReviewQueue:
    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog) -> None:
        self._store, self._keystore, self._audit = store, keystore, audit

    async def held(self, campaign: CampaignId) -> list[dict[str, Any]]:
        """Waiting applications, the longest waiting first, each with what makes it doubtful."""
        documents = self._store.db[register.COLLECTION]
        held = documents.find({"campaign": campaign, "state": "held"}).sort([("received_at", 1), ("_id", 1)])
        shown = [document async for document in held]
        matched = [document["match"]["application_id"] for document in shown if document["match"]]
        receipts = {d["_id"]: d["receipt"] async for d in documents.find({"_id": {"$in": matched}}, {"receipt": 1})}
        return [_shown(document, receipts) for document in shown]

    async def decide(self, campaign: CampaignId, application_id: ApplicationId, decision: ReviewDecision) -> str:
        """Decide a held application and return its new state.

        Raises NotHeldError if it is not waiting any more or does not exist; VaultLockedError.
        """
        state = "accepted" if decision.decision == "accept" else "rejected"
        subject = self._keystore.campaign(campaign).subject_of(application_id)
        written = AuditEvent(
            decision.actor, "handler", f"review:{decision.decision}", "review", campaign, subject, decision.reason
        )

        async def work(uow: UnitOfWork) -> str:
            changed = await _change(uow, campaign, application_id, state, decision)
            if state == "rejected":
                await duplicates.forget(uow, application_id)
            await self._audit.record([written])
            await publish_verdicts(uow, campaign, [changed])
            return state

        return await self._store.transact(work)


async def _change(
    uow: UnitOfWork, campaign: CampaignId, application_id: ApplicationId, state: str, decision: ReviewDecision
) -> dict[str, Any]:
    documents = uow.db[register.COLLECTION]
    sources = [source for source, targets in register.AFTER.items() if source and state in targets]
    reasons = [decision.reason] if state == "rejected" else []
    changed: dict[str, Any] | None = await documents.find_one_and_update(
        {"_id": application_id, "campaign": campaign, "state": {"$in": sources}},
        {"$set": {"state": state, "reasons": reasons, "decided_by": decision.actor}, "$inc": {"revision": 1}},
        return_document=ReturnDocument.AFTER,
        session=uow.session,
    )
    if changed is None:
        there = await documents.find_one({"_id": application_id, "campaign": campaign}, session=uow.session)
        raise NotHeldError(there["state"] if there else None)
    return changed


def _shown(document: dict[str, Any], receipts: dict[str, str]) -> dict[str, Any]:
    match = document["match"]
    return {
        "application_id": document["_id"],
        "receipt": document["receipt"],
        "channel": document["channel"],
        "received_at": document["received_at"].isoformat(),
        "doubts": document["doubts"],
        "match": match and {**match, "receipt": receipts.get(match["application_id"])},
    }
