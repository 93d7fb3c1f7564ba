"""Make the renderer of the lottery's pages, and the routes of assets and sign-in."""

from pathlib import Path

from fastapi import APIRouter

from services.lottery.pages import DIST, TEMPLATES, TEXTS
from shared.web.pages import Assets, Renderer, catalogues_with
from shared.web.signin import signin_router


def lottery_renderer() -> Renderer:
    """Return the renderer. Raises ConfigurationError if the pages have not been bundled."""
    return Renderer(TEMPLATES, Assets.load(DIST), catalogues_with(TEXTS))


def site_router(renderer: Renderer, token_file: Path | None) -> APIRouter:
    """Return the router of assets and sign-in."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
    router.include_router(signin_router(renderer, token_file))
    return router
