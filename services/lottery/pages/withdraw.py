"""Render `/withdraw`, where applicants see their result, give up a place or answer an offer.

The page's program computes the proof from the code on the applicant's device and calls `places/own`: the code never
leaves the device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from shared import dates
from shared.campaign import Campaign, EventClass
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import CampaignId
from shared.web.pages import Renderer, page_headers

_PROGRAM: Final = ("withdraw.",)


@dataclass(frozen=True)
class WithdrawPages:
    """Pages of this installation's campaigns; one per process.

    `intake`: origin of intake, which names the application of a receipt number; empty if the settings name none.
    """

    campaigns: Mapping[CampaignId, Campaign]
    clock: Clock
    renderer: Renderer
    intake: str = ""

    def index(self, texts: Catalogue) -> Response:
        """Redirect to the page of the only campaign, or return a list."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return RedirectResponse(f"{texts.prefix}/c/{only}/withdraw", 303, self._headers)
        return self._list(texts, 200)

    def of_campaign(self, campaign: str, texts: Catalogue) -> Response:
        """Return the page of a campaign, or the list (404)."""
        known = self.campaigns.get(CampaignId(campaign))
        if known is None:
            return self._list(texts, 404)
        title = known.title.in_language(texts.lang)
        data = {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "campaign": known.id,
            "intake": self.intake,
            "max_wins": known.draw.max_wins,
            "classes": {event_class.id: _texts_of(event_class, texts) for event_class in known.classes},
        }
        path = f"/c/{known.id}/withdraw"
        return self.renderer.page(
            "withdraw.html", texts, path, headers=self._headers, campaign=known, title=title, data=data
        )

    @property
    def _headers(self) -> Mapping[str, str]:
        return page_headers(connect=(self.intake,) if self.intake else ())

    def _list(self, texts: Catalogue, status: int) -> Response:
        campaigns = self.campaigns.values()
        return self.renderer.page(
            "withdraw_campaigns.html", texts, "/withdraw", status=status, headers=self._headers, campaigns=campaigns
        )


def _texts_of(event_class: EventClass, texts: Catalogue) -> Mapping[str, str | int]:
    """Return the texts and figures of a class that the page shows; times in milliseconds since 1970."""
    return {
        "title": f"{event_class.number} {event_class.title.in_language(texts.lang)}",
        "when": dates.format_span(event_class.starts, event_class.ends, texts),
        "where": event_class.place.in_language(texts.lang),
        "capacity": event_class.capacity,
        "starts_ms": round(event_class.starts.timestamp() * 1000),
        "ends_ms": round(event_class.ends.timestamp() * 1000),
    }


def withdraw_router(pages: WithdrawPages) -> APIRouter:
    """Return the router, in each language of the catalogues."""
    router = APIRouter(include_in_schema=False)
    for texts in pages.renderer.catalogues:
        _in_language(router, pages, texts)
    return router


def _in_language(router: APIRouter, pages: WithdrawPages, texts: Catalogue) -> None:
    @router.get(f"{texts.prefix}/withdraw", response_model=None)
    async def index() -> Response:
        return pages.index(texts)

    @router.get(f"{texts.prefix}/c/{{campaign}}/withdraw", response_model=None)
    async def of_campaign(campaign: str) -> Response:
        return pages.of_campaign(campaign, texts)
