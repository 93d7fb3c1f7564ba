"""Staff endpoints of announcements."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from services.notifier.announcements.announce import AnnouncedAlreadyError, AnnouncementService
from services.notifier.announcements.announcement import Announcement
from services.notifier.announcements.kinds import WrongAnnouncementError
from services.notifier.announcements.repository import AnnouncementRepository
from services.notifier.counts_repository import NoticeCountsRepository
from services.notifier.post.endpoints import find_campaign_in
from shared.approvals import Act, ApprovalKind, ApprovalRefusedError
from shared.approvals.params import announcement_params
from shared.approvals.reader import ApprovalReader
from shared.campaign import Campaign
from shared.contracts import NoticeParams
from shared.contracts.notices import KindField
from shared.ids import CampaignId, ClassIdField
from shared.json_types import JsonObject
from shared.staff_roles import Right
from shared.storage import Store
from shared.web import problem
from shared.web.approval_problem import approval_problem
from shared.web.sign_in.staff import Access, Staff


class AnnouncementBody(BaseModel):
    """Announcement to all who hold the class, or to everybody without one. `again`: repeat an equal one.

    `approval`: the executed document of the vault.
    """

    model_config = ConfigDict(extra="forbid")
    kind: KindField
    class_id: ClassIdField | None = None
    params: NoticeParams = {}
    again: bool = False
    approval: JsonObject


def announcements_router(
    campaigns: Mapping[CampaignId, Campaign],
    store: Store,
    service: AnnouncementService,
    access: Access,
    approvals: ApprovalReader,
) -> APIRouter:
    """Return the routes below `/v1/campaigns/{campaign}/announcements`."""
    guard = access.guard(Right.READ_NOTICES, Right.ANNOUNCE)
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)
    router = APIRouter(prefix="/v1/campaigns/{campaign}/announcements", dependencies=[Depends(guard)], tags=["staff"])
    announcements, counts = AnnouncementRepository(store.db), NoticeCountsRepository(store.db)
    here = find_campaign_in(campaigns)

    @router.post("", status_code=202)
    async def announce(campaign: str, body: AnnouncementBody, staff: Here) -> dict[str, Any]:
        """Announce; the notices are created and sent from now on."""
        event = here(campaign)
        if body.class_id is not None and event.event_class(body.class_id) is None:
            raise problem("unknown-class", 422, "教室がありません", "教室のIDを確かめてください。")
        named = announcement_params(body.kind, body.class_id, body.params, again=body.again)
        act = Act(ApprovalKind.RELEASE_NOTICES, event.id, named, staff.actor)
        try:
            approval = approvals.read(body.approval, act)
            made = await service.announce(
                event, body.kind, body.class_id, body.params, approval, is_repeated=body.again
            )
        except ApprovalRefusedError as refused:
            raise approval_problem(refused) from None
        except WrongAnnouncementError as error:
            raise problem(
                "wrong-announcement", 422, "お知らせの内容が正しくありません", str(error), en=str(error)
            ) from None
        except AnnouncedAlreadyError as error:
            raise problem(
                "announced-already",
                409,
                f"同じお知らせを送っています（{error.number}番）",
                "もう一度送るときは again を付けてください。",
                en="The same announcement was made before; set `again` to send it once more.",
            ) from None
        return _present(made, {})

    @router.get("")
    async def list_announcements(campaign: str) -> dict[str, Any]:
        """Return the announcements and the states of their notices."""
        event = here(campaign)
        states = await counts.count_announcements(event.id)
        listed = await announcements.list_announcements(event.id)
        return {"announcements": [_present(each, states.get(each.number, {})) for each in listed]}

    return router


def _present(announcement: Announcement, states: Mapping[str, int]) -> dict[str, Any]:
    names = {"number", "kind", "class_id", "params", "actor", "at", "is_created", "recipients", "unmatched_reports"}
    return {**announcement.model_dump(mode="json", include=names, exclude_none=True), "states": dict(states)}
