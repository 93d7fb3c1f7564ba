"""Render `/reception`, the staff page of a device on the day; once loaded it works without a network.

The page holds no names: its program asks for the roster (entries, receipt numbers, seats) and keeps it in the browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from services.lottery.reception.overview import Overview
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.dates import TOKYO
from shared.ids import CampaignId
from shared.staff_roles import Right
from shared.web.pages import HEADERS, Renderer, page_headers
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.staff import Staff

_HEADERS: Final = page_headers(forms=True, camera=True)
_PROGRAM: Final = ("reception.",)
_STAFF_PROGRAM: Final = ("call.", "draws.say.")
"""Prefixes of the texts of the program that keeps a staff page up to date."""
_WORKER: Final = "reception-worker.js"


@dataclass(frozen=True)
class ReceptionPages:
    """Reception pages of this installation's campaigns; one per process."""

    campaigns: Mapping[CampaignId, Campaign]
    overview: Overview
    clock: Clock
    renderer: Renderer
    access: StaffAccess

    def index(self, texts: Catalogue) -> Response:
        """Redirect to the page of the only campaign, or return a list."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return RedirectResponse(f"{texts.prefix}/reception/{only}", 303, _HEADERS)
        return self._page("receptions.html", texts, "/reception", campaigns=self.campaigns.values())

    def device(self, campaign: Campaign, texts: Catalogue, staff: Staff) -> Response:
        """Return the page of a reception device."""
        data = {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "campaign": campaign.id,
            "close_out": campaign.close_out.isoformat(),
            "worker": f"{texts.prefix}/reception/worker.js",
            "manifest": f"{texts.prefix}/reception/{campaign.id}/app.webmanifest",
        }
        return self._page("reception.html", texts, None, campaign=campaign, staff=staff, data=data)

    async def lead(self, campaign: Campaign, texts: Catalogue, staff: Staff) -> Response:
        """Return the page for the person in charge: attendance, contradictions, and devices that are silent."""
        seen = await self.overview.of(campaign, self.clock.now())
        titles = {
            event_class.id: f"{event_class.number} {event_class.title.in_language(texts.lang)}"
            for event_class in campaign.classes
        }
        data = {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_STAFF_PROGRAM),
            "campaign": campaign.id,
            "actor": staff.actor,
            "classes": list(titles.items()),
        }
        values: dict[str, Any] = {
            "campaign": campaign,
            "staff": staff,
            "seen": seen,
            "titles": titles,
            "at": _at,
            "data": data,
        }
        return self._page("reception_lead.html", texts, f"/reception/{campaign.id}/lead", **values)

    def missing(self, texts: Catalogue) -> Response:
        """Return the list of campaigns for an unknown campaign (404)."""
        return self._page("receptions.html", texts, None, status=404, campaigns=self.campaigns.values())

    def worker(self) -> Response:
        """Return the service worker, which controls only the paths beside its own."""
        program = self.renderer.assets.by_name[_WORKER]
        return Response(program.content, media_type="text/javascript", headers=HEADERS)

    def manifest(self, campaign: Campaign, texts: Catalogue) -> Response:
        """Return the data with which a telephone installs the page (W3C Web Application Manifest)."""
        icon = {"src": self.renderer.assets.by_name["kuji.svg"].url, "sizes": "any", "type": "image/svg+xml"}
        body = {
            "name": texts.say("reception.title"),
            "short_name": texts.say("reception.title"),
            "lang": texts.lang,
            "start_url": f"{texts.prefix}/reception/{campaign.id}",
            "scope": f"{texts.prefix}/reception/{campaign.id}",
            "display": "standalone",
            "background_color": "#ffffff",
            "theme_color": "#00118f",
            "icons": [icon],
        }
        return JSONResponse(body, headers=HEADERS, media_type="application/manifest+json")

    def _page(self, template: str, texts: Catalogue, path: str | None, *, status: int = 200, **values: Any) -> Response:
        return self.renderer.page(template, texts, path, status=status, headers=_HEADERS, **values)


def reception_pages_router(pages: ReceptionPages) -> APIRouter:
    """Return the router: Japanese at `/reception`, other languages below their prefixes."""
    router = APIRouter(include_in_schema=False)
    for texts in pages.renderer.catalogues:
        router.include_router(_of_language(pages, texts), prefix=f"{texts.prefix}/reception")
    return router


def _of_language(pages: ReceptionPages, texts: Catalogue) -> APIRouter:
    router = APIRouter()

    @router.get("", response_model=None)
    async def index(request: Request) -> Response:
        staff = await pages.access.staff(request, Right.ADMIT)
        return pages.index(texts) if staff else pages.access.to_sign_in(request)

    @router.get("/worker.js", response_model=None)
    async def worker() -> Response:
        return pages.worker()

    @router.get("/{campaign}", response_model=None)
    async def device(request: Request, campaign: str) -> Response:
        staff, known = await pages.access.staff(request, Right.ADMIT), pages.campaigns.get(CampaignId(campaign))
        if staff is None:
            return pages.access.to_sign_in(request)
        return pages.missing(texts) if known is None else pages.device(known, texts, staff)

    @router.get("/{campaign}/app.webmanifest", response_model=None)
    async def manifest(campaign: str) -> Response:
        known = pages.campaigns.get(CampaignId(campaign))
        return pages.missing(texts) if known is None else pages.manifest(known, texts)

    @router.get("/{campaign}/lead", response_model=None)
    async def lead(request: Request, campaign: str) -> Response:
        staff, known = (
            await pages.access.staff(request, Right.LEAD_RECEPTION),
            pages.campaigns.get(CampaignId(campaign)),
        )
        if staff is None:
            return pages.access.to_sign_in(request)
        return pages.missing(texts) if known is None else await pages.lead(known, texts, staff)

    return router


def _at(moment: datetime) -> str:
    """Return the time of day in Tokyo."""
    return f"{moment.astimezone(TOKYO):%H:%M}"
