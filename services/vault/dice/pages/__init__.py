"""Page of the ceremony: witnesses enter their digits, and a screen in the room shows where it stands."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
