"""Read the vault's public signing key, which pages contain and to which the form compares signatures (ADR 18).

The installation writes it to a file (`./kuji signing-key`). It never comes over the broker, because the broker brings
the key documents that it checks.
"""

import re
from pathlib import Path

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
"""base64url of the 32 bytes of an Ed25519 public key (RFC 8032)."""


class PinnedKey:
    """Hold the key of `file`."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._value: str | None = None

    async def is_known(self) -> bool:
        """Return True once the key is pinned: before that intake can judge no sealing key."""
        return self.value() is not None

    def value(self) -> str | None:
        """Return the key (base64url), or None while the file has none. A key that was read is not replaced."""
        if self._value is None and self._file is not None:
            try:
                written = self._file.read_text("ascii").strip()
            except (OSError, UnicodeDecodeError):
                return None
            self._value = written if _FORM.fullmatch(written) else None
        return self._value
