"""Pages of the telephone desk. All of them work without a program."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
