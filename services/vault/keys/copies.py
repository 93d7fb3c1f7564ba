"""Records of copies of the key folder, beside the keys: one line for each, with the day until which it is kept."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Final

COPIES: Final = "copies.jsonl"


def record_copy(folder: Path, made: datetime, kept_until: datetime, token_group: str | None = None) -> None:
    """Add a line, on the disk when this returns. `token_group`: the token has the key of every file of the copy."""
    read = {"at": made.isoformat(), "kept_until": kept_until.isoformat()}
    line = json.dumps(read | ({"token": token_group} if token_group else {}))
    with os.fdopen(os.open(folder / COPIES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def copies_until(folder: Path) -> datetime | None:
    """Return the day of the last copy that can still open something erased; None where there is none.

    A copy whose files need the token cannot: the campaign's key was destroyed there at the erasure, or before.
    """
    try:
        lines = (folder / COPIES).read_text("ascii").splitlines()
    except FileNotFoundError:
        return None
    read = map(json.loads, lines)
    return max((datetime.fromisoformat(copy["kept_until"]) for copy in read if "token" not in copy), default=None)
