"""Staff endpoints of the notifier: counts, states, and notices that need a decision. No name or address is stored."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.notifier.post.repository import PrintBatchRepository
from services.notifier.repository import NoticeRepository
from services.notifier.rules.notice import Notice, PrintBatch
from services.notifier.rules.states import FINISHED, NoticeState
from services.notifier.wall_clock import wall_now
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, NoticeIdField
from shared.storage import Database
from shared.web import ProblemError, problem
from shared.web.staff_token import Guard


class ResolveBody(BaseModel):
    """Decision of a handler on a notice whose mail may or may not have arrived."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["mailed", "post"]
    actor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


def staff_router(campaigns: Mapping[CampaignId, Campaign], db: Database, clock: Clock, guard: Guard) -> APIRouter:
    """Return the routes below `/v1/campaigns/{campaign}`, all behind `guard`."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}", dependencies=[Depends(guard)], tags=["staff"])
    notices, batches = NoticeRepository(db), PrintBatchRepository(db)

    def find_campaign(campaign: str) -> Campaign:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return campaigns[CampaignId(campaign)]

    @router.get("/summary")
    async def get_summary(campaign: str) -> dict[str, Any]:
        """Return the counts of the campaign."""
        return await _summarise(notices, batches, find_campaign(campaign), clock)

    @router.get("/notices")
    async def list_notices(campaign: str, state: NoticeState | None = None) -> dict[str, Any]:
        """Return all notices, or those in one state, by notice id and without tokens."""
        listed = await notices.list_notices(find_campaign(campaign).id, state)
        return {"notices": [_present(notice) for notice in listed]}

    @router.get("/print-batches")
    async def list_print_batches(campaign: str) -> dict[str, Any]:
        """Return all print batches with their counts."""
        listed = await batches.list_batches(find_campaign(campaign).id)
        return {"batches": [_present_batch(batch) for batch in listed]}

    @router.post("/notices/{notice_id}/resolve")
    async def resolve(campaign: str, notice_id: NoticeIdField, body: ResolveBody) -> dict[str, str]:
        """Move an `unknown` notice on by a handler's decision."""
        to = NoticeState.MAILED if body.decision == "mailed" else NoticeState.TO_PRINT
        here = find_campaign(campaign).id
        if not await notices.resolve_unknown(here, notice_id, to, body.actor, wall_now()):
            raise _not_unknown()
        return {"id": notice_id, "state": to}

    return router


def _present(notice: Notice) -> dict[str, Any]:
    names = {"id", "application_id", "kind", "channel", "state", "code", "attempts", "print_batch"}
    return notice.model_dump(include=names, exclude_none=True)


def _present_batch(batch: PrintBatch) -> dict[str, Any]:
    return {"id": batch.id, "state": batch.state, "cards": len(batch.notices), "pages": batch.pages}


def _not_unknown() -> ProblemError:
    return problem(
        "not-unknown",
        409,
        "確認が必要な状態ではありません",
        "一覧を開き直してください。",
        en="Only a notice in the state `unknown` can be resolved; reload the list.",
    )


async def _summarise(
    notices: NoticeRepository, batches: PrintBatchRepository, campaign: Campaign, clock: Clock
) -> dict[str, Any]:
    """Return counts by state and kind, of mails and batches, and the open notices against the deadline (R-B8)."""
    counts = await notices.count_notices(campaign.id)
    unfinished = sum(count for state, count in counts.by_state.items() if state not in set(FINISHED))
    hours_left = (campaign.notify_by - clock.now()).total_seconds() / 3600
    return {
        "notices": counts.by_state,
        "kinds": counts.by_kind,
        "mails": counts.mails,
        "bounced": counts.bounced,
        "print_batches": await batches.count_by_state(campaign.id),
        "postcards": counts.by_state.get(NoticeState.PRINTED, 0),
        "unfinished": unfinished,
        "deadline": {
            "notify_by": campaign.notify_by.isoformat(),
            "hours_left": round(hours_left, 1),
            "missed": unfinished > 0 and hours_left < 0,
        },
    }
