"""A template becomes an answer: texts of one language, assets with their integrity, and the headers every page has."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.catalogue import Catalogue
from shared.web.pages.assets import Assets

_FRAME: Final = Path(__file__).parent / "templates"


def page_headers(
    *, forms: bool = False, camera: bool = False, form_targets: Sequence[str] = (), connect: Sequence[str] = ()
) -> dict[str, str]:
    """Return the headers of a page: no foreign sources, no inline script or style, no framing (R-C10).

    `forms`: the page sends a form to its own server without a program; `camera`: it may ask for the camera.
    `form_targets`: origins to which the answer to a form may redirect; browsers hold redirects to `form-action` too.
    `connect`: origins that the page's program may call besides its own.
    """
    action = " ".join(["'self'", *form_targets]) if forms else "'none'"
    connections = " ".join(["'self'", *connect])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {connections}; "
        "worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
        f"form-action {action}; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin" if forms else "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": f"camera=({'self' if camera else ''}), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
    }


HEADERS: Final = page_headers()
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


class Renderer:
    """`templates`, `more`: the service's own; the frame and its parts (`_frame.html`, …) are found beside them."""

    def __init__(
        self, templates: Path, assets: Assets, catalogues: tuple[Catalogue, ...], *, more: Sequence[Path] = ()
    ) -> None:
        self.assets, self.catalogues = assets, catalogues
        self._templates = Environment(
            loader=FileSystemLoader([templates, *more, _FRAME]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self,
        template: str,
        texts: Catalogue,
        path: str | None,
        *,
        status: int = 200,
        headers: Mapping[str, str] = HEADERS,
        **shown: Any,
    ) -> Response:
        """`path`: of this page without the language's prefix, for the links to the other languages; None: no links."""
        html = self._templates.get_template(template).render(
            t=texts.say, texts=texts, languages=self.catalogues, path=path, assets=self.assets.by_name, **shown
        )
        return HTMLResponse(html, status, {**headers, "Content-Language": texts.lang})

    def asset(self, name: str) -> Response:
        """Return a bundled file; its name changes with its content, so browsers may cache it."""
        found = self.assets.file(name)
        if found is None:
            return Response(status_code=404, headers=HEADERS)
        return Response(found.content, media_type=found.media_type, headers={**HEADERS, **_FOR_EVER})
