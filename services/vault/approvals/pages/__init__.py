"""Pages of approvals: what waits, one approval, a new request. They work without a program and by keyboard."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
