"""The page on which the responsible handler stores seeded papers: a file, and what is written on it (ADR 51).

Those that nobody has keyed yet can be deleted there; that works without the page's program.
"""

from dataclasses import dataclass
from typing import get_args

from fastapi import APIRouter, Request, Response

from services.vault.desk.pages.papers import KeyingPage, program_data
from services.vault.papers.seeded_deletion import Deletion, SeededDeletion
from services.vault.papers.seeded_repository import SeededPapers
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import PaperId
from shared.staff_roles import Right, may
from shared.web import problem


@dataclass(frozen=True)
class SeededPage:
    """Parts behind the page."""

    keying: KeyingPage
    papers: SeededPapers
    deletion: SeededDeletion

    async def show(self, texts: Catalogue, present: Present, campaign: Campaign, answer: str | None = None) -> Response:
        """Return the page of a campaign. Its program sends file and content to `/v1`; the page itself holds none.

        `answer`: what became of a deletion.
        """
        stored = await self.papers.all(campaign.id)
        data = program_data(
            campaign, texts, "seeded-papers", ("keying.", "seeded.", "list.and", "call.signed-out", "live.")
        )
        path = f"/desk/papers/quality/{campaign.id}/seeded"
        return self.keying.web.page(
            "seeded.html", texts, path, present=present, campaign=campaign, stored=stored, data=data,
            answer=answer if answer in get_args(Deletion) else None,
        )  # fmt: skip

    def path(self, texts: Catalogue, campaign: Campaign) -> str:
        """Return the path of the page."""
        return f"{texts.prefix}/desk/papers/quality/{campaign.id}/seeded"


def seeded_page_router(page: SeededPage, texts: Catalogue) -> APIRouter:
    """Route the page of one language."""
    router, web = APIRouter(prefix="/desk/papers/quality/{campaign}/seeded"), page.keying.web

    @router.get("", response_model=None)
    async def seeded(request: Request, campaign: str, answer: str | None = None) -> Response:
        async def show(present: Present) -> Response:
            return await page.show(texts, present, page.keying.find(campaign), answer)

        return await web.shown_to(request, texts, show, Right.READ_KEYING_QUALITY)

    @router.post("/{paper}/delete", response_model=None)
    async def delete(request: Request, campaign: str, paper: str) -> Response:
        present, found = await web.require(request), page.keying.find(campaign)
        if not may(present.account.roles, Right.READ_KEYING_QUALITY):
            raise problem("no-right", 403, "この操作をする権限がありません", "取扱責任者に頼んでください。")
        answer = await page.deletion.delete(found.id, PaperId(paper), present.account.id)
        return web.to(f"{page.path(texts, found)}?answer={answer}")

    return router
