"""Render `/verify`, where the public recomputes a draw in the browser; once loaded it works without a network.

The page brings the program and the lottery's public keys; transcript, rows and proofs come from the public addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import CampaignId
from shared.pinned_keys import PinnedKeys
from shared.service_keys import PublicKeys
from shared.web.pages import HEADERS, Renderer, page_headers

_PROGRAM: Final = ("verify.",)
_OFFLINE: Final = "/verify-offline.js"


@dataclass(frozen=True)
class VerifyPages:
    """Public pages of this installation's campaigns. `vault_key`: pinned.

    `keys`: returns the lottery's public keys (base64url) that are not revoked, the present one first.

    `public_keys`: keys of all services; intake's sign receipt documents.

    `intake`: origin of intake, which names the application of a receipt number; empty if the settings name none.
    """

    campaigns: Mapping[CampaignId, Campaign]
    clock: Clock
    renderer: Renderer
    keys: Callable[[], Sequence[str]]
    vault_key: PinnedKeys
    intake: str = ""
    public_keys: PublicKeys | None = None

    def index(self, texts: Catalogue) -> Response:
        """Redirect to the page of the only campaign, or return a list."""
        if len(self.campaigns) == 1:
            (only,) = self.campaigns
            return RedirectResponse(f"{texts.prefix}/verify/{only}", 303, HEADERS)
        return self._list(texts, 200)

    def of_campaign(self, campaign: str, texts: Catalogue) -> Response:
        """Return the page of a campaign, or the list (404)."""
        known = self.campaigns.get(CampaignId(campaign))
        if known is None:
            return self._list(texts, 404)
        keys = list(self.keys())
        data = {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "campaign": known.id,
            "intake": self.intake,
            "keys": keys,
            "intake_keys": self._intake_keys,
            "vaultKey": next(reversed(self.vault_key.all()), None),
            "work": self.renderer.assets.by_name["verify-work.js"].url,
            "offline": _OFFLINE,
            "classes": {event_class.id: event_class.title.in_language(texts.lang) for event_class in known.classes},
        }
        title = known.title.in_language(texts.lang)
        path, headers = f"/verify/{known.id}", page_headers(connect=(self.intake,) if self.intake else ())
        return self.renderer.page(
            "verify.html", texts, path, headers=headers, campaign=known, title=title, keys=keys, data=data
        )

    @property
    def _intake_keys(self) -> list[str]:
        """Public keys of intake that are not revoked, as intake's own pages have them."""
        known = () if self.public_keys is None else self.public_keys.of_service("intake")
        return [key.public_key for key in known if key.state != "revoked"]

    def offline(self) -> Response:
        """Return the service worker, at the root so that it may control the page in each language."""
        program = self.renderer.assets.by_name["verify-offline.js"]
        return Response(program.content, media_type="text/javascript", headers=HEADERS)

    def _list(self, texts: Catalogue, status: int) -> Response:
        titles = [(campaign.id, campaign.title.in_language(texts.lang)) for campaign in self.campaigns.values()]
        return self.renderer.page("verifies.html", texts, "/verify", status=status, campaigns=titles)


def verify_pages_router(pages: VerifyPages) -> APIRouter:
    """Return the router: Japanese at `/verify`, other languages below their prefixes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(_OFFLINE, pages.offline, methods=["GET"], response_model=None)
    for texts in pages.renderer.catalogues:
        router.include_router(_of_language(pages, texts), prefix=f"{texts.prefix}/verify")
    return router


def _of_language(pages: VerifyPages, texts: Catalogue) -> APIRouter:
    router = APIRouter()

    @router.get("", response_model=None)
    async def index() -> Response:
        return pages.index(texts)

    @router.get("/{campaign}", response_model=None)
    async def of_campaign(campaign: str) -> Response:
        return pages.of_campaign(campaign, texts)

    return router
