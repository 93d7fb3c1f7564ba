"""The routes of the public pages. They show what the campaign file says and hand out the program that seals.

Nothing an applicant types comes here: the form is sent to `/v1` sealed, from the applicant's own device.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from services.intake.campaigns.public import public_part
from services.intake.campaigns.sealing_keys import Keys
from services.intake.pages import wording
from services.intake.pages.pinning import Pin
from services.intake.pages.sheet import Sheets
from services.intake.rules.window import Timing, timing
from shared import dates
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import CampaignId
from shared.web.pages import HEADERS, Renderer

_FOR_A_VIEWER: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600"}
"""Without the pages' policy: browsers show a PDF in a page of their own, which that policy would keep empty."""
_PROGRAM: Final = ("form.", "error.", "confirm.", "sending.", "failed.", "done.", "status.", "reason.", "grade.")
"""What the form's program says by itself."""
_WITH_PROGRAM: Final = frozenset({"apply", "status"})


class Site:
    """The pages of this installation's campaigns; one per process."""

    def __init__(
        self,
        campaigns: Mapping[CampaignId, Campaign],
        keys: Keys,
        clock: Clock,
        *,
        renderer: Renderer,
        sheets: Sheets,
        pin: Pin,
    ) -> None:
        self._campaigns, self._keys, self._clock = campaigns, keys, clock
        self._renderer, self._sheets, self._pin = renderer, sheets, pin
        self._odds = {each.id: wording.odds_by_class(each) for each in campaigns.values()}

    @property
    def languages(self) -> tuple[Catalogue, ...]:
        return self._renderer.catalogues

    def events(self, texts: Catalogue) -> Response:
        """The one campaign's page where there is one; else the list of all."""
        if len(self._campaigns) == 1:
            (only,) = self._campaigns
            return RedirectResponse(f"{texts.prefix}/c/{only}", 303, HEADERS)
        shown = [(each.id, wording.title(each, texts)) for each in self._campaigns.values()]
        return self._renderer.page("events.html", texts, "/", campaigns=shown)

    async def of_campaign(self, name: str, campaign: str, texts: Catalogue) -> Response:
        """`name`: event, apply or status."""
        known = self._campaigns.get(CampaignId(campaign))
        if known is None:
            return self._renderer.page("missing.html", texts, "/", status=404)
        shown = await self._about(known, texts)
        if name in _WITH_PROGRAM:
            shown["data"] = self._for_the_program(known, texts)
        path = f"/c/{known.id}" + (f"/{name}" if name in _WITH_PROGRAM else "")
        return self._renderer.page(f"{name}.html", texts, path, **shown)

    def sheet(self, campaign: str) -> Response:
        """The application sheet for fax and post; the same in every language."""
        known = self._campaigns.get(CampaignId(campaign))
        if known is None:
            return self._renderer.page("missing.html", self.languages[0], "/", status=404)
        name = f'inline; filename="{known.id}-sheet.pdf"'
        headers = {**_FOR_A_VIEWER, "Content-Disposition": name}
        return Response(self._sheets.pdf(known), media_type="application/pdf", headers=headers)

    def asset(self, name: str) -> Response:
        return self._renderer.asset(name)

    async def _about(self, campaign: Campaign, texts: Catalogue) -> dict[str, Any]:
        return {
            "campaign": campaign,
            "title": wording.title(campaign, texts),
            "purpose": wording.purpose(campaign, texts),
            "state": await self._state(campaign),
            "classes": [wording.shown_class(each, texts) for each in campaign.classes],
            "odds": self._odds[campaign.id],
            "talks": [wording.of(each.title, texts) for each in campaign.talks],
            "opens": dates.format_moment(campaign.window.opens, texts),
            "closes": dates.format_deadline(campaign.window.closes, texts),
            "notify_by": dates.format_deadline(campaign.notify_by, texts),
        }

    async def _state(self, campaign: Campaign) -> str:
        """early, open, late; unready: open, but nobody could seal yet."""
        by_clock = timing(campaign, "web", self._clock.now())
        if by_clock is not Timing.OPEN:
            return str(by_clock.value)
        key = await self._keys.current(campaign.id)
        return "open" if key is not None and self._pin.value() is not None else "unready"

    def _for_the_program(self, campaign: Campaign, texts: Catalogue) -> dict[str, Any]:
        """The page's data block; services/intake/web/src/page.ts has its type."""
        public = public_part(campaign)
        words = [wording.shown_class(each, texts) for each in campaign.classes]
        return {
            "lang": texts.lang,
            "signing_key": self._pin.value() or "",
            "now": self._clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "rules": {
                "campaign": campaign.id,
                "purpose_version": campaign.purpose.version,
                "residency": public["residency"],
                "preferences": campaign.draw.preferences,
                "classes": [
                    {**whole, "title": shown.title, "who": shown.who, "when": shown.when}
                    for whole, shown in zip(public["classes"], words, strict=True)
                ],
            },
        }


def site_router(site: Site) -> APIRouter:
    """Japanese at `/`, every other language below its prefix. Not part of the API's description."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/assets/{name}", site.asset, methods=["GET"], response_model=None)
    router.add_api_route("/c/{campaign}/sheet.pdf", site.sheet, methods=["GET"], response_model=None)
    for texts in site.languages:
        router.include_router(_of_language(site, texts), prefix=texts.prefix)
    return router


def _of_language(site: Site, texts: Catalogue) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_model=None)
    async def events() -> Response:
        return site.events(texts)

    @router.get("/c/{campaign}", response_model=None)
    async def event(campaign: str) -> Response:
        return await site.of_campaign("event", campaign, texts)

    @router.get("/c/{campaign}/apply", response_model=None)
    async def apply(campaign: str) -> Response:
        return await site.of_campaign("apply", campaign, texts)

    @router.get("/c/{campaign}/status", response_model=None)
    async def status(campaign: str) -> Response:
        return await site.of_campaign("status", campaign, texts)

    return router
