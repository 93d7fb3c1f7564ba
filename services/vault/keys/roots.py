"""Root keys: what seals the key files of a folder. One lies in a file under a passphrase, the other in a token."""

import contextlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from services.vault.keys.ciphers.envelope import KEY_BYTES, NotDecryptableError, decrypt, encrypt
from shared.encoding import b64url, unb64url

KeyFile = Mapping[str, Any]
"""JSON of a file with a sealed key."""

FORMER: Final = "former"
"""Name, in a campaign's file, of the token's key that the file before it had: it may be there still."""


class KeyToken(Protocol):
    """Token whose keys never leave it; each has an id (hex) and belongs to the group of one key folder."""

    label: str

    def generate(self, group: str) -> str:
        """Make a key and return its id. This method and the others raise TokenAwayError."""
        ...

    def encrypt(self, key: str, plaintext: bytes, bound_to: str) -> bytes:
        """Encrypt inside the token. Raises TokenKeyGoneError, as `decrypt` does."""
        ...

    def decrypt(self, key: str, data: bytes, bound_to: str) -> bytearray:
        """Decrypt inside the token. Raises NotDecryptableError."""
        ...

    def destroy(self, key: str) -> None:
        """Destroy a key; do nothing where it is gone already."""
        ...

    def destroy_others(self, group: str, keep: Collection[str]) -> None:
        """Destroy all keys of a group but these."""
        ...

    def check(self, key: str) -> None:
        """Raise TokenAwayError where the token does not answer or lacks the key; a good answer holds for a second."""
        ...

    def leave(self) -> None:
        """Log out; the next use logs in anew."""
        ...


class Root(Protocol):
    """Root key in use. It seals key files, and opens those that it sealed."""

    def seal(self, plaintext: bytes, bound_to: str, *, own_key: bool) -> KeyFile:
        """Return a key file. `own_key`: in a token under a key of its own, which can be destroyed alone."""
        ...

    def open(self, kept: KeyFile, bound_to: str) -> bytearray:
        """Open a key file. Raises NotDecryptableError."""
        ...

    def discard(self, kept: KeyFile) -> None:
        """Destroy what only this key file needs; the file itself is the caller's."""
        ...

    def check(self) -> None:
        """Raise TokenAwayError where the root key cannot be reached."""
        ...


Roots = tuple[Root, ...]
"""Root keys in use: the one that seals first, then the one before it while a rotation is under way."""


@dataclass(frozen=True)
class FileRoot:
    """Root key in memory, which a passphrase sealed."""

    key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        return cls(secrets.token_bytes(KEY_BYTES))

    def seal(self, plaintext: bytes, bound_to: str, *, own_key: bool) -> KeyFile:
        del own_key  # destroying the file is all there is
        return {"v": 1, "wrapped": b64url(encrypt(self.key, plaintext, bound_to))}

    def open(self, kept: KeyFile, bound_to: str) -> bytearray:
        if "key" in kept:
            raise NotDecryptableError("this file was sealed in a token")
        return decrypt(self.key, unb64url(kept["wrapped"]), bound_to)

    def discard(self, kept: KeyFile) -> None:
        """Do nothing: no other file is needed."""

    def check(self) -> None:
        """Do nothing: the key is in memory."""


@dataclass(frozen=True)
class TokenRoot:
    """Root key in a token: `key` seals files of the installation, and each campaign's file has a key beside it."""

    token: KeyToken
    group: str
    key: str

    def seal(self, plaintext: bytes, bound_to: str, *, own_key: bool) -> KeyFile:
        key = self.token.generate(self.group) if own_key else self.key
        return {"v": 1, "key": key, "wrapped": b64url(self.token.encrypt(key, plaintext, bound_to))}

    def open(self, kept: KeyFile, bound_to: str) -> bytearray:
        if "key" not in kept:
            raise NotDecryptableError("this file was not sealed in a token")
        return self.token.decrypt(kept["key"], unb64url(kept["wrapped"]), bound_to)

    def discard(self, kept: KeyFile) -> None:
        for name in ("key", FORMER):
            if kept.get(name, self.key) != self.key:
                self.token.destroy(kept[name])

    def check(self) -> None:
        self.token.check(self.key)


def open_by_any(roots: Roots, kept: KeyFile, bound_to: str) -> bytearray:
    """Open with the first root key that fits. Raises NotDecryptableError."""
    *others, last = roots
    for root in others:
        with contextlib.suppress(NotDecryptableError):
            return root.open(kept, bound_to)
    return last.open(kept, bound_to)
