"""Render the notifier's staff page `/notices`. Japanese first; no person and no token on it."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
DIST: Final = Path(__file__).parents[1] / "web" / "dist"
