"""Records of copies of the key folder, beside the keys: one line for each, with the day until which it is kept."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Final

COPIES: Final = "copies.jsonl"


def record_copy(folder: Path, made: datetime, kept_until: datetime) -> None:
    """Add a line, on the disk when this returns."""
    line = json.dumps({"at": made.isoformat(), "kept_until": kept_until.isoformat()})
    with os.fdopen(os.open(folder / COPIES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def copies_until(folder: Path) -> datetime | None:
    """Return the day of the last copy that is recorded; None where there is none."""
    try:
        lines = (folder / COPIES).read_text("ascii").splitlines()
    except FileNotFoundError:
        return None
    return max((datetime.fromisoformat(json.loads(line)["kept_until"]) for line in lines), default=None)
