"""Answer staff about papers over HTTP. A list holds no content; the file itself goes to a named handler."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.vault.papers.inbox import NotShownError, PaperInbox, PaperOverview, UnknownPaperError
from services.vault.papers.repository import StoredPaper
from services.vault.papers.rules.states import PaperState
from services.vault.papers.settle import AlreadySettledError, NotKeyableError, PaperSettler, Settlement
from shared.campaign import Campaign
from shared.ids import CampaignId, PaperIdField
from shared.staff_roles import Right
from shared.web import ProblemError, problem
from shared.web.sign_in.staff import Access, Staff

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]

_SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Headers for a file from outside: it is saved, never run as a page, as another type or from another site."""


class SettlementBody(BaseModel):
    """Body of a settlement. `keyed` has the content of each application without code, `discarded` a reason."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    decision: Literal["keyed", "discarded"]
    applications: Annotated[tuple[dict[str, Any], ...], Field(max_length=20)] = ()
    reason: Code | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decision == "keyed") != bool(self.applications) or (self.decision == "keyed") == bool(self.reason):
            raise ValueError("keyed needs applications, discarded needs a reason")
        return self


def papers_router(
    campaigns: Mapping[CampaignId, Campaign], inbox: PaperInbox, settler: PaperSettler, access: Access
) -> APIRouter:
    """Route GET …/papers, GET …/papers/{id}/image, POST …/papers/{id}."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/papers", tags=["staff"])
    Handler = Annotated[Staff, Depends(access.guard(Right.KEY_PAPERS))]  # noqa: N806  (a type)

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    @router.get("", dependencies=[Depends(access.guard(Right.READ_APPLICATIONS))])
    async def papers(campaign: Annotated[CampaignId, Depends(known)]) -> dict[str, Any]:
        return _overview(await inbox.overview(campaign))

    @router.get("/{paper_id}/image")
    async def image(
        campaign: Annotated[CampaignId, Depends(known)], paper_id: PaperIdField, staff: Handler
    ) -> Response:
        with _problems():
            file = await inbox.show(campaign, paper_id, actor=staff.actor)
        disposition = f'attachment; filename="paper-{file.serial}{file.kind.suffix}"'
        return Response(file.content, media_type=file.kind.value, headers={**_SAFE, "Content-Disposition": disposition})

    @router.post("/{paper_id}")
    async def settle(
        campaign: Annotated[CampaignId, Depends(known)], paper_id: PaperIdField, body: SettlementBody, staff: Handler
    ) -> dict[str, Any]:
        settlement = Settlement(body.decision, staff.actor, body.applications, body.reason)
        with _problems():
            settled = await settler.settle(campaign, paper_id, settlement)
        return {"paper_id": paper_id, "state": settled.state, "application_ids": list(settled.application_ids)}

    return router


@contextmanager
def _problems() -> Iterator[None]:
    """Turn refusals of the inbox into problems."""
    try:
        yield
    except UnknownPaperError:
        raise _unknown() from None
    except NotShownError as refusal:
        raise _not_shown(refusal) from None
    except AlreadySettledError as refusal:
        raise _settled(refusal) from None
    except NotKeyableError as refusal:
        raise _not_keyable(refusal) from None


def _overview(overview: PaperOverview) -> dict[str, Any]:
    states = [paper.state for paper in overview.papers]
    return {
        "counts": {state.value: states.count(state) for state in PaperState},
        "unkeyed": overview.unkeyed,
        "oldest_waiting_s": overview.oldest_waiting_s,
        "papers": [_paper(paper) for paper in overview.papers],
    }


def _paper(paper: StoredPaper) -> dict[str, Any]:
    return {
        "id": paper.paper_id,
        "receipt": paper.receipt,
        "channel": paper.channel,
        "serial": paper.serial,
        "received_at": paper.received_at.isoformat(),
        "state": paper.state.value,
        "reason": paper.reason,
        "pages": paper.pages,
        "application_ids": list(paper.application_ids),
    }


def _unknown() -> ProblemError:
    return problem(
        "unknown-paper",
        404,
        "書類がありません",
        "一覧を開き直し、書類のIDを確かめてください。",
        en="There is no such paper in this campaign, or it was erased; reload the list.",
    )


def _not_shown(refusal: NotShownError) -> ProblemError:
    return problem(
        "not-shown",
        409,
        "この書類は表示できません",
        "書類番号で原本を探して入力するか、申込者にもう一度送ってもらい、この書類は理由を付けて除いてください。",
        en="This file is never shown (see `state`): key from the original with this serial number, or ask for it again "
        "and discard this one.",
        state=refusal.state.value,
    )


def _settled(refusal: AlreadySettledError) -> ProblemError:
    return problem(
        "already-settled",
        409,
        "すでに処理されています",
        "一覧を開き直してください。",
        en="Another handler keyed or discarded this paper before; reload the list.",
        state=refusal.state.value,
    )


def _not_keyable(refusal: NotKeyableError) -> ProblemError:
    return problem(
        "not-keyable",
        422,
        "入力した内容が申込みの形になっていません",
        "書類と見比べて、入力をやり直してください。",
        en="The content at this `position` (from 0) is no application; compare it with the paper and key it again.",
        position=refusal.position,
        reasons=list(refusal.reasons),
    )
