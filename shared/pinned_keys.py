"""Public keys of the vault that a service was given by hand: one a line, read again when the file changes.

While the vault's signing key is rotated the file holds two of them; a key that is not in it is not believed.
"""

import re
from pathlib import Path
from typing import Final

from shared.signing import key_name

_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""base64url of the 32 bytes of an Ed25519 public key (RFC 8032)."""


class PinnedKeys:
    """Keys of `file`. A file that is absent, or holds anything else, leaves those that were read before."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._keys: tuple[str, ...] = ()
        self._stamp: tuple[int, int, int] | None = None

    def all(self) -> tuple[str, ...]:
        """Return the keys in the order of the file; none before they were pinned."""
        stamp = self._look()
        if self._file is not None and stamp is not None and stamp != self._stamp:
            try:
                lines = self._file.read_text("ascii").split("\n")
            except (OSError, UnicodeDecodeError):
                return self._keys
            written = [line.strip() for line in lines if line.strip()]
            if written and all(_FORM.fullmatch(line) for line in written):
                self._keys, self._stamp = tuple(written), stamp
        return self._keys

    def named(self, name: object) -> str:
        """Return the pinned key of this name; nothing where there is none."""
        return next((key for key in self.all() if key_name(key) == name), "")

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = None if self._file is None else self._file.stat()
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
