"""The vault's public signing key as the office pinned it: pages carry it, and the form trusts no other (ADR 18).

It reaches intake by a file that whoever sets the office up writes (`./kuji signing-key`), never over the broker:
what a key document is checked with must not come by the road on which the key document comes.
"""

import re
from pathlib import Path

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
"""base64url of the 32 bytes of an Ed25519 public key (RFC 8032)."""


class Pin:
    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._value: str | None = None

    def value(self) -> str | None:
        """base64url, or None while the file is not there or holds no key. Once read it stays."""
        if self._value is None and self._file is not None:
            try:
                written = self._file.read_text("ascii").strip()
            except (OSError, UnicodeDecodeError):
                return None
            self._value = written if _FORM.fullmatch(written) else None
        return self._value
