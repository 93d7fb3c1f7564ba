"""Mark of a PIN that a token refused, in the key folder: it lasts over restarts, and holds no part of the PIN.

Not every token says that its last PIN was wrong (PKCS #11 leaves that flag to it), and three block many of them.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.files import write_atomic
from shared.logging import get_logger

MARK: Final = "pin-refused"

_log = get_logger(__name__)


@dataclass(frozen=True)
class RefusedPin:
    """The mark names the PIN's file by its stamp, and so stands until that is written anew, or a login succeeds."""

    folder: Path
    label: str
    pin_file: Path

    def stamp(self) -> str:
        """Return what changes when the PIN's file is written anew; to be taken before the file is read."""
        with contextlib.suppress(OSError):
            found = self.pin_file.stat()
            return f"{self.label} {found.st_mtime_ns} {found.st_ino}"
        return ""

    def stands(self) -> bool:
        """Return True if the PIN that is in the file now was refused before."""
        try:
            return (self.folder / MARK).read_text("utf-8") == self.stamp()
        except FileNotFoundError:
            return False
        except OSError:  # there is one, of another user
            return True

    def note(self, stamp: str) -> None:
        """Write the mark. A folder that cannot be written is logged: the token's own flag is left then."""
        try:
            write_atomic(self.folder / MARK, stamp.encode("utf-8"))
        except OSError as error:
            _log.error("pin-refused-not-noted", reason=type(error).__name__)

    def clear(self) -> None:
        """Remove the mark, if there is one."""
        with contextlib.suppress(OSError):
            (self.folder / MARK).unlink(missing_ok=True)
