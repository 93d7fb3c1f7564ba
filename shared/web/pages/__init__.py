"""Parts shared by the pages of all services: the frame, its texts, the bundled assets, and the headers."""

from pathlib import Path
from typing import Final

from shared.catalogue import Catalogue, load_catalogues
from shared.web.pages.assets import Asset, Assets
from shared.web.pages.rendering import HEADERS, Renderer, page_headers

TEXTS: Final = Path(__file__).parent / "texts"


def catalogues_with(*folders: Path) -> tuple[Catalogue, ...]:
    """Load a service's texts with those of the frame. Raises ConfigurationError where languages differ."""
    return load_catalogues(TEXTS, *folders)


__all__ = ["HEADERS", "TEXTS", "Asset", "Assets", "Renderer", "catalogues_with", "page_headers"]
