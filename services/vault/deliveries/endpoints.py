"""Answer staff how many notices left the vault, against the slips that the lottery issued and the rejections."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from services.vault.deliveries.reconcile import NoticeCounter
from services.vault.deliveries.rules.reconciliation import Missing, Reconciliation
from shared.campaign import Campaign
from shared.contracts import NoticesCounted
from shared.ids import CampaignId, Receipt, Token
from shared.staff_roles import Right
from shared.web import problem
from shared.web.sign_in.staff import Access


def notices_router(campaigns: Mapping[CampaignId, Campaign], counter: NoticeCounter, access: Access) -> APIRouter:
    """Route GET …/notices."""
    reading = [Depends(access.guard(Right.READ_NOTICES))]
    router = APIRouter(prefix="/v1/campaigns/{campaign}/notices", dependencies=reading, tags=["staff"])

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("")
    async def count(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        """Return issued and delivered slips, every difference by receipt number, and the notifier's own counts."""
        counted = await counter.count(campaign)
        receipts = await counter.receipts(counted)
        return {
            **_counts(counted),
            **_drawn(await counter.drawn(campaign)),
            "deliveries": await counter.deliveries(campaign),
            "differences": _differences(counted.missing, receipts),
            **_notifier(await counter.notifier_counts(campaign)),
        }

    return router


def _counts(counted: Reconciliation) -> dict[str, Any]:
    return {
        "issued": counted.issued,
        "delivered": counted.delivered,
        "superseded": counted.superseded,
        "rejected": counted.rejected,
        "rejected_delivered": counted.rejected_delivered,
        "same_person": counted.same_person,
        "same_person_delivered": counted.same_person_delivered,
        "undecided": counted.undecided,
        "undecided_delivered": counted.undecided_delivered,
        "undecided_by_telephone": counted.undecided_by_telephone,
    }


def _drawn(drawn: tuple[int, int] | None) -> dict[str, int | None]:
    entries, slips = drawn or (None, None)
    return {"entries": entries, "entries_with_slip": slips}


def _differences(missing: tuple[Missing, ...], receipts: Mapping[Token, Receipt]) -> list[dict[str, Any]]:
    return [{"receipt": receipts.get(missed.token), "n": missed.n} for missed in missing]


def _notifier(counted: NoticesCounted | None) -> dict[str, Any]:
    return {"notifier": None if counted is None else counted.model_dump(mode="json", exclude={"v", "campaign"})}
