"""Serve the public pages: the event, the form that seals, the status of an application. Japanese first."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
DIST: Final = Path(__file__).parents[1] / "web" / "dist"
