"""Pages of people: sign-in, the own account, the roster. All of them work without a program."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
DIST: Final = Path(__file__).parents[2] / "web" / "dist"
