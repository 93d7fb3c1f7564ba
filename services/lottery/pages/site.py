"""Make the renderer of the lottery's pages, and the routes of assets and sign-in."""

from fastapi import APIRouter, Response

from services.lottery.pages import DIST, TEMPLATES, TEXTS
from shared.web.pages import Assets, Renderer, catalogues_with
from shared.web.sign_in.access import StaffAccess


def lottery_renderer() -> Renderer:
    """Return the renderer. Raises ConfigurationError if the pages have not been bundled."""
    return Renderer(TEMPLATES, Assets.load(DIST), catalogues_with(TEXTS))


def site_router(renderer: Renderer, access: StaffAccess) -> APIRouter:
    """Return the router of assets and sign-in."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
    router.include_router(access.router())

    @router.get("/signed-out", response_model=None)
    async def signed_out() -> Response:
        return renderer.page("_signed_out.html", renderer.catalogues[0], None, vault=access.vault_address)

    return router
