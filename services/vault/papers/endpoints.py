"""Answer staff about papers over HTTP: the list, the keying of papers, and their pages as pictures.

A list holds no content. Programs key through the same rules as the page: one keying is never two.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal, Self

import segno
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.vault.papers.inbox import PaperInbox, PaperOverview, UnknownPaperError
from services.vault.papers.keying import Keyer, Keying, NotYourLookError
from services.vault.papers.pool import HandedPaper, PaperPool
from services.vault.papers.problems import (
    already_settled,
    no_picture,
    not_keyable,
    not_your_look,
    unknown_paper,
)
from services.vault.papers.repository import StoredPaper
from services.vault.papers.rules.keyed_content import MARKABLE, KeyedContent, KeyedSheet, Mark
from services.vault.papers.rules.states import PaperState
from services.vault.papers.settle import AlreadySettledError, NotKeyableError
from shared.campaign import Campaign
from shared.ids import CampaignId, PaperIdField
from shared.paper_files import PAGES, NotAPaperError
from shared.sheet_layout import code_text
from shared.staff_roles import Right
from shared.web import problem
from shared.web.sign_in.staff import Access, Staff

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,40}$")]
Tab = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{8,40}$")]
"""Random name of a tab; with the sign-in it tells two browsers apart."""

_SHEETS: Final = 20
_PICTURE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class KeyingBody(BaseModel):
    """Body of a keying. `keyed` has the content of each application without code, `discarded` a reason.

    `marks`: for each application the fields without a value. `tab` is absent where a program keys.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    decision: Literal["keyed", "discarded"]
    applications: Annotated[tuple[dict[str, Any], ...], Field(max_length=_SHEETS)] = ()
    marks: Annotated[tuple[dict[str, Mark], ...], Field(max_length=_SHEETS)] = ()
    reason: Code | None = None
    tab: Tab | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.decision == "keyed") != bool(self.applications) or (self.decision == "keyed") == bool(self.reason):
            raise ValueError("keyed needs applications, discarded needs a reason")
        if self.marks and len(self.marks) != len(self.applications):
            raise ValueError("marks stand for each application or for none")
        if not all(set(marks) <= set(MARKABLE) for marks in self.marks):
            raise ValueError("a mark of an unknown field")
        return self

    def content(self) -> KeyedContent:
        """Return what was keyed."""
        marks = self.marks or ({},) * len(self.applications)
        sheets = tuple(KeyedSheet(form, own) for form, own in zip(self.applications, marks, strict=True))
        return KeyedContent(self.decision, sheets, self.reason)


class NextBody(BaseModel):
    """Body of a request for a paper. `have`: the paper on the screen, while the next one is loaded ahead."""

    model_config = ConfigDict(extra="forbid")
    tab: Tab
    have: Annotated[tuple[PaperIdField, ...], Field(max_length=1)] = ()


class ReturnBody(BaseModel):
    """Body that returns a paper to the pool."""

    model_config = ConfigDict(extra="forbid")
    tab: Tab


def papers_router(
    campaigns: Mapping[CampaignId, Campaign],
    inbox: PaperInbox,
    keying: Keying,
    pool: PaperPool,
    access: Access,
) -> APIRouter:
    """Route GET …/papers, and POST …/papers/{id} and the calls of the keying page."""
    router = APIRouter(prefix="/v1/campaigns/{campaign}/papers", tags=["staff"])
    codes = {campaign.id: printed_code(campaign) for campaign in campaigns.values()}
    Handler = Annotated[Staff, Depends(access.guard(Right.KEY_PAPERS))]  # noqa: N806  (a type)

    def known(campaign: str) -> CampaignId:
        if CampaignId(campaign) not in campaigns:
            raise problem("unknown-campaign", 404, "募集がありません", "募集のIDを確かめてください。")
        return CampaignId(campaign)

    Known = Annotated[CampaignId, Depends(known)]  # noqa: N806  (a type)

    @router.get("", dependencies=[Depends(access.guard(Right.READ_APPLICATIONS))])
    async def papers(campaign: Known) -> dict[str, Any]:
        return _overview(await inbox.overview(campaign))

    @router.post("/next")
    async def take_next(campaign: Known, body: NextBody, staff: Handler) -> dict[str, Any]:
        handed = await pool.take_next(campaign, keyer_of(staff, body.tab), body.have)
        return {"paper": None if handed is None else _handed(handed)}

    @router.get("/{paper_id}/pages/{page}")
    async def picture(
        campaign: Known,
        paper_id: PaperIdField,
        page: Annotated[int, Path(ge=0, lt=PAGES)],
        tab: Annotated[Tab, Query()],
        staff: Handler,
    ) -> Response:
        with _problems():
            content = await pool.page(campaign, paper_id, keyer_of(staff, tab), page, codes[campaign])
        return Response(content, media_type="image/png", headers=_PICTURE)

    @router.get("/{paper_id}/fields")
    async def fields(
        campaign: Known, paper_id: PaperIdField, tab: Annotated[Tab, Query()], staff: Handler
    ) -> dict[str, Any]:
        with _problems():
            found = await pool.fields(campaign, paper_id, keyer_of(staff, tab), codes[campaign])
        return {"fields": found}

    @router.post("/{paper_id}/return")
    async def give_back(campaign: Known, paper_id: PaperIdField, body: ReturnBody, staff: Handler) -> dict[str, Any]:
        return {"returned": await pool.give_back(campaign, paper_id, keyer_of(staff, body.tab))}

    @router.post("/{paper_id}")
    async def key(campaign: Known, paper_id: PaperIdField, body: KeyingBody, staff: Handler) -> dict[str, Any]:
        with _problems():
            settled = await keying.submit(campaign, paper_id, keyer_of(staff, body.tab), body.content())
        return {"paper_id": paper_id, "state": settled.state, "application_ids": list(settled.application_ids)}

    return router


def printed_code(campaign: Campaign) -> str:
    """Return the rows of the code on the campaign's sheet, 0 and 1, joined by commas."""
    rows = segno.make(code_text(campaign), error="q", micro=False).matrix
    return ",".join("".join(map(str, row)) for row in rows)


def keyer_of(staff: Staff, tab: str | None) -> Keyer:
    """Return the person and the browser; a program is one browser of its own."""
    return Keyer(staff.actor, staff.roles, f"{staff.session}:{tab or 'program'}", is_program=tab is None)


@contextmanager
def _problems() -> Iterator[None]:
    """Turn refusals of the inbox into problems."""
    try:
        yield
    except UnknownPaperError:
        raise unknown_paper() from None
    except NotYourLookError as refusal:
        raise not_your_look(refusal.reason) from None
    except NotAPaperError:
        raise no_picture() from None
    except AlreadySettledError as refusal:
        raise already_settled(refusal.state) from None
    except NotKeyableError as refusal:
        raise not_keyable(refusal.position, refusal.reasons) from None


def _handed(handed: HandedPaper) -> dict[str, Any]:
    paper, left_open = handed.paper, handed.open
    fields = None if left_open is None else [[one.position, one.name] for one in left_open]
    return {
        "id": paper.paper_id,
        "serial": paper.serial,
        "channel": paper.channel,
        "received_at": paper.received_at.isoformat(),
        "state": paper.state.value,
        "pages": paper.pages if paper.kind is not None else 0,
        "look": handed.look.value,
        "versions": [version.to_document() for version in handed.versions],
        "open": fields,
    }


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
