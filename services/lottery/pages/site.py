"""The routes of the lottery's pages, put together: assets, sign-in, and one router for each page."""

from pathlib import Path

from fastapi import APIRouter

from services.lottery.pages import DIST, TEMPLATES, TEXTS
from shared.web.pages import Assets, Renderer, catalogues_with
from shared.web.signin import signin_router


def lottery_renderer() -> Renderer:
    """Raises ConfigurationError where the pages have not been bundled."""
    return Renderer(TEMPLATES, Assets.load(DIST), catalogues_with(TEXTS))


def site_router(renderer: Renderer, token_file: Path | None) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/assets/{name}", renderer.asset, methods=["GET"], response_model=None)
    router.include_router(signin_router(renderer, token_file))
    return router
