"""Render the lottery's web pages: public checks of a draw, and the work of staff. Japanese first."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
DIST: Final = Path(__file__).parents[1] / "web" / "dist"
