"""Staff endpoints of the notifier: counts, states, and notices that need a decision. No name or address is stored."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.overview import Overview
from services.notifier.post.endpoints import find_campaign_in
from services.notifier.repository import NoticeRepository, tokens_of
from services.notifier.rules.notice import Notice
from services.notifier.rules.states import TELEPHONE_LIST, NoticeState
from services.notifier.settle import settle_notice
from shared.campaign import Campaign
from shared.ids import CampaignId, NoticeIdField
from shared.paging import PageRequest
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import ProblemError, problem
from shared.web.paging import Paging
from shared.web.sign_in.staff import Access, Staff

_DECIDED: Final = {
    "sent": NoticeState.SENT,
    "post": NoticeState.TO_PRINT,
    "phoned": NoticeState.PHONED,
    "again": NoticeState.PENDING,
}


class ResolveBody(BaseModel):
    """Decision of a handler on a notice: the mail arrived, a card is needed, it was telephoned, or mail it again."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["sent", "post", "phoned", "again"]


def staff_router(
    campaigns: Mapping[CampaignId, Campaign], store: Store, overview: Overview, access: Access
) -> APIRouter:
    """Return the routes below `/v1/campaigns/{campaign}` about notices."""
    guard = access.guard(Right.READ_NOTICES, Right.SETTLE_NOTICES)
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)
    router = APIRouter(prefix="/v1/campaigns/{campaign}", dependencies=[Depends(guard)], tags=["staff"])
    notices, applicants = NoticeRepository(store.db), ApplicantRepository(store.db)
    here = find_campaign_in(campaigns)

    @router.get("/summary")
    async def get_summary(campaign: str) -> dict[str, Any]:
        """Return the counts of the campaign."""
        return (await overview.read(here(campaign))).to_json()

    @router.get("/notices")
    async def list_notices(campaign: str, page: Paging, state: NoticeState | None = None) -> dict[str, Any]:
        """Return a page of the notices, all or those in one state, by receipt number and without tokens."""
        return await present(here(campaign).id, page, *([state] if state else []))

    @router.get("/telephone-list")
    async def list_to_telephone(campaign: str, page: Paging) -> dict[str, Any]:
        """Return a page of the notices that neither mail nor post brings; the vault knows the telephone numbers."""
        return await present(here(campaign).id, page, *sorted(TELEPHONE_LIST))

    @router.post("/notices/{notice_id}/resolve")
    async def resolve(campaign: str, notice_id: NoticeIdField, body: ResolveBody, staff: Here) -> dict[str, str]:
        """Move a notice on by a handler's decision."""
        to = _DECIDED[body.decision]
        if not await settle_notice(store, here(campaign).id, notice_id, to, staff.actor):
            raise _not_to_decide()
        return {"id": notice_id, "state": to}

    async def present(name: CampaignId, page: PageRequest, *only: NoticeState) -> dict[str, Any]:
        listed, following = page.cut(await notices.list_notices(name, *only, page=page), lambda notice: notice.id)
        receipts = await applicants.load_receipts(tokens_of(listed))
        rows = [{**_present(notice), "receipt": receipts.get(notice.token)} for notice in listed]
        return {"notices": rows, "next": following}

    return router


def _present(notice: Notice) -> dict[str, Any]:
    names = {
        "id", "kind", "n", "channel", "way", "state", "code", "attempts", "mails", "print_batch", "return_reason"
    }  # fmt: skip
    return notice.model_dump(include=names, exclude_none=True)


def _not_to_decide() -> ProblemError:
    return problem(
        "not-to-decide",
        409,
        "この通知では、いまこの決定ができません",
        "一覧を開き直し、通知の状態を確かめてください。",
        en="The notice's state does not allow this decision; reload the list.",
    )
