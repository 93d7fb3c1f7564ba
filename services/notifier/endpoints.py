"""What staff ask the notifier over HTTP: counts, states, what needs a person. Nobody's name or address is here."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.notifier import ledger
from services.notifier.rules.states import FINAL, NoticeState
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, NoticeIdField
from shared.storage import MongoCollection, Store
from shared.web import problem
from shared.web.staff_token import Guard

_SHOWN = {
    "application_id": 1,
    "kind": 1,
    "channel": 1,
    "state": 1,
    "code": 1,
    "attempts": 1,
    "batch_id": 1,
    "print_batch": 1,
}


class ResolveBody(BaseModel):
    """A person's word on a notice whose mail may or may not have arrived."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["mailed", "post"]
    actor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def staff_router(campaigns: Mapping[CampaignId, Campaign], store: Store, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1/campaigns/{campaign}", dependencies=[Depends(guard)], tags=["staff"])

    def known(campaign: str) -> Campaign:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return campaigns[CampaignId(campaign)]

    @router.get("/summary")
    async def summary(campaign: str) -> dict[str, Any]:
        return await _summary(store, known(campaign), clock)

    @router.get("/notices")
    async def notices(campaign: str, state: NoticeState | None = None) -> dict[str, Any]:
        """All notices, or those of one state; by notice id, without tokens."""
        wanted = {"campaign": known(campaign).id, **({"state": state} if state else {})}
        found = await store.db[ledger.NOTICES].find(wanted, _SHOWN).to_list(None)
        return {"notices": [{"id": each.pop("_id"), **each} for each in found]}

    @router.get("/print-batches")
    async def print_batches(campaign: str) -> dict[str, Any]:
        found = await store.db[ledger.PRINT_BATCHES].find({"campaign": known(campaign).id}).to_list(None)
        return {
            "batches": [
                {"id": b["_id"], "state": b["state"], "cards": len(b["notices"]), "pages": b.get("pages")}
                for b in found
            ]
        }

    @router.post("/notices/{notice_id}/resolve")
    async def resolve(campaign: str, notice_id: NoticeIdField, body: ResolveBody) -> dict[str, str]:
        here = known(campaign).id
        to = NoticeState.MAILED if body.decision == "mailed" else NoticeState.TO_PRINT
        wanted = {"_id": notice_id, "campaign": here, "state": NoticeState.UNKNOWN}
        values = {"state": to, "resolved_by": body.actor, "next_at": ledger.wall_now()}
        if to is NoticeState.MAILED:
            values["sent_at"] = ledger.wall_now()
        changed = await store.db[ledger.NOTICES].update_one(wanted, {"$set": values})
        if changed.modified_count == 0:
            raise problem(
                "not-unknown",
                409,
                "確認が必要な状態ではありません",
                "一覧を開き直してください。",
                en="Only a notice in the state `unknown` can be resolved; reload the list.",
            )
        return {"id": notice_id, "state": to}

    return router


async def _summary(store: Store, campaign: Campaign, clock: Clock) -> dict[str, Any]:
    """Counts by state and kind, mails and batches, and what is open against the deadline (R-B8)."""
    notices = store.db[ledger.NOTICES]
    here = {"campaign": campaign.id}
    states = await _counts(notices, campaign.id, "$state")
    mailed = {**here, "sent_at": {"$exists": True}}
    in_batches = {**mailed, "batch_id": {"$ne": None}}
    batches = await notices.distinct("batch_id", in_batches)
    unfinished = sum(count for state, count in states.items() if state not in set(FINAL))
    hours_left = (campaign.notify_by - clock.now()).total_seconds() / 3600
    return {
        "notices": states,
        "kinds": await _counts(notices, campaign.id, "$kind"),
        "mails": {
            "single": await notices.count_documents({**mailed, "batch_id": None}),
            "in_batches": await notices.count_documents(in_batches),
        },
        "bcc_batches": len(batches),
        "bounced": await notices.count_documents({**here, "bounced": True}),
        "print_batches": await _counts(store.db[ledger.PRINT_BATCHES], campaign.id, "$state"),
        "postcards": states.get(NoticeState.PRINTED, 0),
        "unfinished": unfinished,
        "deadline": {
            "notify_by": campaign.notify_by.isoformat(),
            "hours_left": round(hours_left, 1),
            "missed": unfinished > 0 and hours_left < 0,
        },
    }


async def _counts(documents: MongoCollection, campaign: CampaignId, field: str) -> dict[str, int]:
    grouped = documents.aggregate(
        [{"$match": {"campaign": campaign}}, {"$group": {"_id": field, "count": {"$sum": 1}}}]
    )
    return {str(row["_id"]): int(row["count"]) async for row in grouped}
