"""The page on which handlers key papers: the picture at the left, the applicant's form at the right (R-B5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from services.vault.papers.rules.keyed_content import DISCARD_REASONS
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.staff_roles import Right
from shared.web.problems import problem

_KEYS: Final = "1234567890abcdefghijklmnopqrstuvwxyz"
"""Keys of classes where their printed numbers have more than one digit, in the order of the sheet."""

_SAID: Final = ("keying.", "list.and", "call.signed-out")


@dataclass(frozen=True)
class KeyingPage:
    """Parts behind the page."""

    web: Web
    campaigns: Mapping[CampaignId, Campaign]

    def show(self, texts: Catalogue, present: Present, campaign: Campaign) -> Response:
        """Return the page of a campaign. Its program asks `/v1` for papers; the page itself holds none."""
        path = f"/desk/papers/{campaign.id}"
        return self.web.page(
            "keying.html",
            texts,
            path,
            present=present,
            campaign=campaign,
            data=program_data(campaign, texts, "papers", _SAID),
        )

    def find(self, campaign: str) -> Campaign:
        """Return the campaign. Raises ProblemError (404)."""
        found = self.campaigns.get(CampaignId(campaign))
        if found is None:
            raise problem("unknown-campaign", 404, "募集がありません", "待っている仕事の画面から開いてください。")
        return found


def papers_page_router(pages: KeyingPage, texts: Catalogue) -> APIRouter:
    """Route the page of one language. With one campaign `/desk/papers` leads straight to it."""
    router, web = APIRouter(prefix="/desk/papers"), pages.web

    @router.get("", response_model=None)
    async def first(request: Request) -> Response:
        async def show(_: Present) -> Response:
            return web.to(f"{texts.prefix}/desk/papers/{next(iter(pages.campaigns))}")

        return await web.shown_to(request, texts, show, Right.KEY_PAPERS)

    @router.get("/{campaign}", response_model=None)
    async def keying(request: Request, campaign: str) -> Response:
        async def show(present: Present) -> Response:
            return pages.show(texts, present, pages.find(campaign))

        return await web.shown_to(request, texts, show, Right.KEY_PAPERS)

    return router


def program_data(campaign: Campaign, texts: Catalogue, calls: str, shown: tuple[str, ...]) -> JsonObject:
    """Return what the page's program knows. `calls`: last part of the path of its calls; `shown`: prefixes of texts."""
    return {
        "lang": texts.lang,
        "now": datetime.now(UTC).isoformat(),
        "texts": texts.for_the_program(shown),
        "base": f"/v1/campaigns/{campaign.id}/{calls}",
        "purpose_version": campaign.purpose.version,
        "classes": _classes(campaign, texts),
        "discard_reasons": list(DISCARD_REASONS),
    }


def _classes(campaign: Campaign, texts: Catalogue) -> list[JsonObject]:
    """Return the classes with their keys: the printed numbers where all have one digit."""
    short = all(one.number <= 9 for one in campaign.classes)  # noqa: PLR2004  (the largest digit)
    return [
        {
            "id": one.id,
            "key": str(one.number) if short else _KEYS[position],
            "number": one.number,
            "title": one.title.in_language(texts.lang),
            "seats": sorted(one.seats),
        }
        for position, one in enumerate(campaign.classes)
    ]
