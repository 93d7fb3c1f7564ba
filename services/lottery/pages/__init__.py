"""The lottery's pages: what everybody can check, and what staff do. Japanese first."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
DIST: Final = Path(__file__).parents[1] / "web" / "dist"
