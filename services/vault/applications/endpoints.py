"""What staff and auditors ask the vault over HTTP. No answer holds a person."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.vault.applications import repository as register
from services.vault.applications.review import NotHeldError, ReviewDecision, ReviewQueue
from services.vault.audit import AuditLog
from services.vault.keys.keystore import Keystore
from shared.campaign import Campaign
from shared.ids import ApplicationIdField, CampaignId
from shared.storage import Store
from shared.web import ProblemError, problem
from shared.web.staff_token import Guard

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
Actor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class DecisionBody(BaseModel):
    """`reason` is a code and `actor` a staff id: neither may become a place for free text about people."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["accept", "reject"]
    reason: Code
    actor: Actor


def staff_router(
    campaigns: Mapping[CampaignId, Campaign],
    store: Store,
    queue: ReviewQueue,
    audit: AuditLog,
    keystore: Keystore,
    guard: Guard,
) -> APIRouter:
    router = APIRouter(prefix="/v1", dependencies=[Depends(guard)], tags=["staff"])

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("/campaigns/{campaign}/summary")
    async def summary(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return await register.summary(store, campaign)

    @router.get("/campaigns/{campaign}/held")
    async def held(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return {"held": await queue.held(campaign)}

    @router.post("/campaigns/{campaign}/held/{application_id}")
    async def decide(
        campaign: Annotated[CampaignId, Depends(known)], application_id: ApplicationIdField, body: DecisionBody
    ) -> dict[str, str]:
        try:
            state = await queue.decide(campaign, application_id, ReviewDecision(body.decision, body.reason, body.actor))
        except NotHeldError as refusal:
            raise _not_held(refusal) from None
        return {"application_id": application_id, "state": state}

    @router.post("/lock")
    async def lock() -> dict[str, str]:
        """R-C8: seal the vault at once; the engineer restarts it with the passphrase."""
        keystore.lock()
        return {"state": "locked"}

    @router.get("/audit")
    async def lines(after: Annotated[int, Query(ge=0)] = 0) -> dict[str, Any]:
        return {"lines": await audit.lines(after), "checkpoint": await audit.checkpoint()}

    return router


def public_router(keystore: Keystore) -> APIRouter:
    """The vault's public signing key: everybody may have it, and should get it by more than one way."""
    router = APIRouter(prefix="/v1", tags=["public"])

    @router.get("/signing-key")
    async def signing_key() -> dict[str, Any]:
        return {"v": 1, "algorithm": "Ed25519", "public_key": keystore.signing.public}

    return router


def _not_held(refusal: NotHeldError) -> ProblemError:
    if refusal.state is None:
        return problem("unknown-application", 404, "申込みがありません", "申込みのIDを確かめてください。")
    return problem(
        "already-decided",
        409,
        "すでに決定されています",
        "一覧を開き直してください。",
        en="Somebody decided this application before; reload the list.",
        state=refusal.state,
    )
