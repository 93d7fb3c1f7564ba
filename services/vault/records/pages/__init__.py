"""Page of records: documents, and the audit log with its check."""

from pathlib import Path
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
TEXTS: Final = Path(__file__).parent / "texts"
