"""The bundled programs and styles, as `deploy/web_build/bundle.mjs` made them: served for ever, bound by hash."""

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from shared.errors import ConfigurationError


@dataclass(frozen=True)
class Asset:
    """`integrity`: the SRI value (SHA-384) that the page demands."""

    url: str
    integrity: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Assets:
    """By the name in the sources (`apply.js`) for pages, by file name for the server."""

    by_name: Mapping[str, Asset]

    @classmethod
    def load(cls, dist: Path) -> Self:
        """`dist`: the service's `web/dist`. Raises ConfigurationError where the pages have not been bundled."""
        try:
            manifest = json.loads((dist / "manifest.json").read_text("utf-8"))
            return cls({name: _asset(dist, line["file"], line["integrity"]) for name, line in manifest.items()})
        except (OSError, ValueError, KeyError):
            raise ConfigurationError(
                "the pages are not bundled: run `./kuji pages` once (it needs the npm registry)"
            ) from None

    def file(self, name: str) -> Asset | None:
        return next((each for each in self.by_name.values() if each.url.endswith(f"/{name}")), None)


def _asset(dist: Path, file: str, integrity: str) -> Asset:
    media_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
    return Asset(f"/assets/{file}", integrity, (dist / file).read_bytes(), media_type)
