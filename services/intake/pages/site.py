"""Serve the public pages: they show the campaign file and load the program that seals.

No typed data reaches these routes: the program sends the form to `/v1`, sealed on the applicant's device.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from services.intake.campaigns.public import extract_public
from services.intake.campaigns.sealing_key_repository import SealingKeyRepository
from services.intake.campaigns.stage_repository import CampaignStageRepository
from services.intake.pages import wording
from services.intake.pages.sheet import Sheets
from services.intake.rules.window import Timing, classify_time
from shared import dates
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import CampaignId
from shared.pinned_keys import PinnedKeys
from shared.service_keys import PublicKeys
from shared.web.pages import HEADERS, Renderer

TemplateData = dict[str, Any]
"""Values by the names that templates and programs use."""

_FOR_A_VIEWER: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600"}
"""Headers without the pages' policy: browsers show a PDF in a page of their own, which that policy would block."""
_PROGRAM: Final = (
    "form.", "error.", "correct.", "confirm.", "sending.", "failed.", "done.", "status.", "reason.", "grade.",
)  # fmt: skip
"""Prefixes of the texts that the program needs."""
_WITH_PROGRAM: Final = frozenset({"apply", "status"})


class Site:
    """Render the pages of this installation's campaigns; one object per process."""

    def __init__(
        self,
        campaigns: Mapping[CampaignId, Campaign],
        keys: SealingKeyRepository,
        stages: CampaignStageRepository,
        clock: Clock,
        *,
        renderer: Renderer,
        sheets: Sheets,
        pin: PinnedKeys,
        receipt_keys: PublicKeys,
        lottery: str = "",
    ) -> None:
        """`lottery`: origin of the lottery's pages; empty if the settings name none."""
        self._campaigns, self._keys, self._stages, self._clock = campaigns, keys, stages, clock
        self._renderer, self._sheets, self._pin, self._receipt_keys = renderer, sheets, pin, receipt_keys
        self._lottery = lottery
        self._odds = {campaign.id: wording.odds_by_class(campaign) for campaign in campaigns.values()}

    @property
    def languages(self) -> tuple[Catalogue, ...]:
        """Catalogues of the languages, Japanese first."""
        return self._renderer.catalogues

    def events(self, texts: Catalogue) -> Response:
        """Redirect to the page of the only campaign, or list all campaigns."""
        if len(self._campaigns) == 1:
            (only,) = self._campaigns
            return RedirectResponse(f"{texts.prefix}/c/{only}", 303, HEADERS)
        titles = [(campaign.id, wording.title(campaign, texts)) for campaign in self._campaigns.values()]
        return self._renderer.page("events.html", texts, "/", campaigns=titles)

    async def of_campaign(self, name: str, campaign: str, texts: Catalogue) -> Response:
        """Render a page of a campaign. `name`: event, apply or status."""
        known = self._campaigns.get(CampaignId(campaign))
        if known is None:
            return self._renderer.page("missing.html", texts, "/", status=404)
        data = await self._describe(known, texts)
        if name in _WITH_PROGRAM:
            data["data"] = self._program_data(known, texts, is_open=data["state"] == "open")
        path = f"/c/{known.id}" + (f"/{name}" if name in _WITH_PROGRAM else "")
        return self._renderer.page(f"{name}.html", texts, path, **data)

    def sheet(self, campaign: str) -> Response:
        """Return the application sheet for fax and post; it is the same in every language."""
        known = self._campaigns.get(CampaignId(campaign))
        if known is None:
            return self._renderer.page("missing.html", self.languages[0], "/", status=404)
        name = f'inline; filename="{known.id}-sheet.pdf"'
        headers = {**_FOR_A_VIEWER, "Content-Disposition": name}
        return Response(self._sheets.pdf(known), media_type="application/pdf", headers=headers)

    def asset(self, name: str) -> Response:
        """Return a program or style of the pages."""
        return self._renderer.asset(name)

    async def _describe(self, campaign: Campaign, texts: Catalogue) -> TemplateData:
        return {
            "campaign": campaign,
            "title": wording.title(campaign, texts),
            "purpose": wording.purpose(campaign, texts),
            "state": await self._state(campaign),
            "classes": [wording.class_view(event_class, texts) for event_class in campaign.classes],
            "odds": self._odds[campaign.id],
            "talks": [wording.of(talk.title, texts) for talk in campaign.talks],
            "opens": dates.format_moment(campaign.window.opens, texts),
            "closes": dates.format_deadline(campaign.window.closes, texts),
            "notify_by": dates.format_deadline(campaign.notify_by, texts),
            "lottery": self._lottery,
        }

    async def _state(self, campaign: Campaign) -> str:
        """Return erased, early, open, late, or unready: the window is open, but the form has no key yet."""
        if (await self._stages.find(campaign.id)).is_erased:
            return "erased"
        by_clock = classify_time(campaign, "web", self._clock.now())
        if by_clock is not Timing.OPEN:
            return str(by_clock.value)
        key = await self._keys.find_current(campaign.id)
        return "open" if key is not None and self._pin.all() else "unready"

    def _program_data(self, campaign: Campaign, texts: Catalogue, *, is_open: bool) -> TemplateData:
        """Return the page's data block; services/intake/web/src/page.ts has its type."""
        public = extract_public(campaign)
        views = [wording.class_view(event_class, texts) for event_class in campaign.classes]
        return {
            "lang": texts.lang,
            "signing_key": " ".join(self._pin.all()),
            "is_open": is_open,
            "intake_keys": [
                key.public_key for key in self._receipt_keys.of_service("intake") if key.state != "revoked"
            ],
            "now": self._clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "rules": {
                "campaign": campaign.id,
                "purpose_version": campaign.purpose.version,
                "residency": public["residency"],
                "preferences": campaign.draw.preferences,
                "max_wins": campaign.draw.max_wins,
                "classes": [
                    {**public_class, "title": view.title, "who": view.who, "when": view.when}
                    for public_class, view in zip(public["classes"], views, strict=True)
                ],
            },
        }


def site_router(site: Site) -> APIRouter:
    """Return the routes: Japanese at `/`, every other language below its prefix. The API's description omits them."""
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
