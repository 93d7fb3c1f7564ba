"""Answer staff about templates of notices over HTTP. Previews show made-up applicants."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.vault.notices.released import NotReleasableError, ReleasedTemplates, TemplateState
from services.vault.notices.repository import ReleasedTemplate
from shared.approvals import ApprovalId, ApprovalRefusedError
from shared.approvals.document import APPROVAL_ID
from shared.campaign import Campaign
from shared.contracts import NoticeChannel
from shared.ids import CampaignId
from shared.staff_roles import Right
from shared.web import ProblemError, problem
from shared.web.approval_problem import approval_problem
from shared.web.sign_in.staff import Access, Staff


class Template(BaseModel):
    """Name of a template; the approval names its SHA-256."""

    model_config = ConfigDict(extra="forbid")
    kind: Annotated[str, StringConstraints(max_length=64)]
    channel: NoticeChannel


class ReleaseBody(BaseModel):
    """Release of the versions that an approval names."""

    model_config = ConfigDict(extra="forbid")
    approval: Annotated[str, StringConstraints(pattern=APPROVAL_ID)]
    templates: Annotated[list[Template], Field(min_length=1, max_length=100)]


def templates_router(
    campaigns: Mapping[CampaignId, Campaign], templates: ReleasedTemplates, access: Access
) -> APIRouter:
    """Route GET …/notice-templates, GET …/{kind}/{channel} and POST …/releases."""
    guard = access.guard(Right.READ_NOTICES, Right.RELEASE_TEMPLATES)
    Here = Annotated[Staff, Depends(guard)]  # noqa: N806  (a type)
    router = APIRouter(
        prefix="/v1/campaigns/{campaign}/notice-templates", dependencies=[Depends(guard)], tags=["staff"]
    )

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("")
    async def states(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return {"templates": [_state(state) for state in await templates.states(campaign)]}

    @router.get("/{kind}/{channel}")
    async def preview(
        campaign: Annotated[CampaignId, Depends(known)], kind: str, channel: NoticeChannel
    ) -> dict[str, Any]:
        try:
            found = await templates.preview(campaign, kind, channel)
        except NotReleasableError as refusal:
            raise _refused(refusal) from None
        samples = [vars(sample) for sample in found.samples]
        return {**_source(found.state), "mistakes": list(found.state.mistakes), "samples": samples}

    @router.post("/releases")
    async def release(
        campaign: Annotated[CampaignId, Depends(known)], body: ReleaseBody, staff: Here
    ) -> dict[str, Any]:
        wanted = [(template.kind, template.channel) for template in body.templates]
        try:
            released = await templates.release(campaign, wanted, ApprovalId(body.approval), actor=staff.actor)
        except NotReleasableError as refusal:
            raise _refused(refusal) from None
        except ApprovalRefusedError as refused:
            raise approval_problem(refused) from None
        return {"released": [{"kind": one.kind, "channel": one.channel, **_released(one)} for one in released]}

    return router


def _state(state: TemplateState) -> dict[str, Any]:
    return {
        **_source(state),
        "state": state.state,
        "mistakes": list(state.mistakes),
        "released": _released(state.released) if state.released else None,
    }


def _source(state: TemplateState) -> dict[str, Any]:
    source = state.source
    return {"kind": source.kind, "channel": source.channel, "sha256": source.sha256, "own": source.is_own}


def _released(released: ReleasedTemplate) -> dict[str, Any]:
    return {
        "number": released.number,
        "sha256": released.sha256,
        "by": released.released_by,
        "at": released.released_at.isoformat(),
    }


def _refused(refusal: NotReleasableError) -> ProblemError:
    match refusal.code:
        case "unknown-template":
            return problem(
                "unknown-template",
                404,
                "文面がありません",
                "種類と通知方法を一覧で確かめてください。",
                en="There is no template of this kind and channel; list them with ./kuji notices templates.",
            )
        case "mistakes":
            return problem(
                "template-mistakes",
                422,
                "文面に誤りがあります",
                "誤りを直してから、もう一度確かめてください。",
                en="The template has mistakes: " + "; ".join(refusal.mistakes),
                mistakes=list(refusal.mistakes),
            )
        case _:
            return problem(
                refusal.code,
                409,
                "確かめた版と違います",
                "文面を開き直し、もう一度確かめてください。",
                en="The template is not the version that you looked at; preview it again and release that version.",
            )
