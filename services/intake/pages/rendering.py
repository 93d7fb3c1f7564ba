"""A template becomes an answer: texts of one language, assets with their integrity, and the headers every page has."""

from pathlib import Path
from typing import Any, Final

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.intake.pages.assets import Assets
from services.intake.pages.texts import Catalogue

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Nothing from anywhere else, no inline script or style, no cookie, no framing (R-C10)."""


class Renderer:
    def __init__(self, assets: Assets, catalogues: tuple[Catalogue, ...]) -> None:
        self.assets, self.catalogues = assets, catalogues
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, template: str, texts: Catalogue, path: str, *, status: int = 200, **shown: Any) -> Response:
        """`path`: of this page without the language's prefix, for the links to the other languages."""
        html = self._templates.get_template(template).render(
            t=texts.say, texts=texts, languages=self.catalogues, path=path, assets=self.assets.by_name, **shown
        )
        return HTMLResponse(html, status, {**HEADERS, "Content-Language": texts.lang})
