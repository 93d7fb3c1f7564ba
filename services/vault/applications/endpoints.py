"""Answer staff and auditors over HTTP. No answer holds a person."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.review import HeldEntry, NotHeldError, ReviewDecision, ReviewQueue
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.keys.signing_keys import PublicSigningKey
from shared.campaign import Campaign
from shared.ids import ApplicationIdField, CampaignId
from shared.paging import LARGEST_PAGE
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import ProblemError, problem
from shared.web.sign_in.staff import Access, Staff

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]


class DecisionBody(BaseModel):
    """Body of a decision. `reason` is a code; it may not hold free text about people."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["accept", "reject"]
    reason: Code


def staff_router(
    campaigns: Mapping[CampaignId, Campaign],
    store: Store,
    queue: ReviewQueue,
    audit: AuditLog,
    keystore: Keystore,
    access: Access,
) -> APIRouter:
    """Route the summary, the review queue, and locking."""
    router = APIRouter(prefix="/v1", tags=["staff"])
    reading = [Depends(access.guard(Right.READ_APPLICATIONS))]
    Decider = Annotated[Staff, Depends(access.guard(Right.DECIDE_APPLICATIONS))]  # noqa: N806  (a type)
    Locker = Annotated[Staff, Depends(access.guard(Right.LOCK_VAULT))]  # noqa: N806  (a type)

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("/campaigns/{campaign}/summary", dependencies=reading)
    async def summary(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return asdict(await ApplicationRepository(store).summary(campaign))

    @router.get("/campaigns/{campaign}/held", dependencies=reading)
    async def held(
        campaign: Annotated[CampaignId, Depends(known)],
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE,
    ) -> dict[str, Any]:
        """Return those that wait longest, and how many wait in all. Whoever is decided leaves the list."""
        entries = [_held_entry(entry) for entry in await queue.held(campaign, limit)]
        return {"held": entries, "waiting": await queue.count_held(campaign)}

    @router.post("/campaigns/{campaign}/held/{application_id}")
    async def decide(
        campaign: Annotated[CampaignId, Depends(known)],
        application_id: ApplicationIdField,
        body: DecisionBody,
        staff: Decider,
    ) -> dict[str, str]:
        decision = ReviewDecision(body.decision, body.reason, staff.actor)
        if not decision.is_known:
            raise _unknown_reason()
        try:
            state = await queue.decide(campaign, application_id, decision)
        except NotHeldError as refusal:
            raise _not_held(refusal) from None
        return {"application_id": application_id, "state": state}

    @router.post("/lock")
    async def lock(staff: Locker) -> dict[str, str]:
        """Seal the vault at once (R-C8); the engineer restarts it with the passphrase."""
        role = "+".join(sorted(staff.roles))
        try:
            await audit.record([AuditEvent(staff.actor, role, "lock", "vault", None, None, "done")])
        finally:
            keystore.lock()
        return {"state": "locked"}

    return router


def public_router(keystore: Keystore) -> APIRouter:
    """Route the vault's public signing key. Readers should get it by more than one way."""
    router = APIRouter(prefix="/v1", tags=["public"])

    @router.get("/signing-key")
    async def signing_key() -> dict[str, Any]:
        """Return the key that signs; `keys` has also those that signed before, and their states."""
        active, earlier = PublicSigningKey(keystore.signing.public, "active"), keystore.signing_keys.earlier()
        keys = [key.to_json() for key in (active, *earlier)]
        return {"v": 1, "algorithm": "Ed25519", "public_key": active.public_key, "keys": keys}

    return router


def _held_entry(entry: HeldEntry) -> dict[str, Any]:
    held, match = entry.application, entry.application.match
    return {
        "application_id": held.application_id,
        "receipt": held.receipt,
        "channel": held.channel,
        "received_at": held.received_at.isoformat(),
        "doubts": list(held.doubts),
        "match": match and {"application_id": match.application_id, "kind": match.kind, "receipt": entry.match_receipt},
    }


def _unknown_reason() -> ProblemError:
    return problem(
        "unknown-reason",
        422,
        "理由は一覧から選んでください",
        "理由のコードを確かめてください（例：duplicate、namesake）。",
        en="The reason is a code of the list in rules/decision_reasons.py.",
    )


def _not_held(refusal: NotHeldError) -> ProblemError:
    if refusal.state is None:
        return problem("unknown-application", 404, "申込みがありません", "申込みのIDを確かめてください。")
    return problem(
        "already-decided",
        409,
        "すでに決定されています",
        "一覧を開き直してください。",
        en="Another handler decided this application before; reload the list.",
        state=refusal.state,
    )
