"""The file of the root key, and while it is rotated, of two. It holds the key sealed by a passphrase, or names the
token that has it.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from services.vault.keys.access import RootAccess
from services.vault.keys.ciphers.envelope import KEY_BYTES, NotDecryptableError, decrypt, encrypt
from services.vault.keys.roots import FileRoot, KeyFile, Root, Roots, TokenRoot
from shared.encoding import b64url, unb64url
from shared.errors import ConfigurationError
from shared.files import create_once, write_atomic

SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1}
SHORTEST: Final = 20
_DIFFERENT: Final = 8
_BOUND_TO: Final = "kuji/root-key/1"
_NAME: Final = "root.json"


class RootFile:
    """`root.json` of a key folder."""

    def __init__(self, folder: Path, access: RootAccess) -> None:
        self._path, self._access = folder / _NAME, access

    def create(self) -> None:
        """Make a root key where there is none, in the token if there is one.

        Raises ConfigurationError for a weak passphrase, then too; TokenAwayError.
        """
        if self._path.exists():
            return
        root = self.make(in_token=self._access.token is not None)
        content = self._content((root,))
        if create_once(self._path, lambda: content) != content and isinstance(root, TokenRoot):
            root.token.destroy(root.key)  # another process was first

    def make(self, *, in_token: bool) -> Root:
        """Return a new root key, which no file names yet. Raises ConfigurationError, TokenAwayError."""
        if not in_token:
            check_passphrase(self._access.passphrase())
            return FileRoot.generate()
        token, group = self._access.needed_token(), token_group(self._path.parent) or secrets.token_hex(8)
        return TokenRoot(token, group, token.generate(group))

    def open(self) -> Roots:
        """Return the root keys; a token is not asked yet. Raises ConfigurationError, for a wrong passphrase too."""
        kept = _read(self._path)
        return tuple(self._open(one) for one in (kept, kept.get("previous")) if one is not None)

    def write(self, roots: Roots) -> None:
        """Replace the file. Raises ConfigurationError for a weak passphrase."""
        write_atomic(self._path, self._content(roots))

    def stamp(self) -> tuple[int, int]:
        """Return what changes when the file is replaced."""
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino

    def is_in_token(self) -> bool:
        """Return True if the root key that seals lies in a token."""
        return "token" in _read(self._path)

    def _open(self, kept: Mapping[str, Any]) -> Root:
        if "token" in kept:
            return TokenRoot(self._access.needed_token(), kept["group"], kept["key"])
        key = _derive(self._access.passphrase(), unb64url(kept["salt"]), kept["scrypt"])
        try:
            return FileRoot(bytes(decrypt(key, unb64url(kept["wrapped"]), _BOUND_TO)))
        except NotDecryptableError:
            raise ConfigurationError("the passphrase does not open the vault's root key; give the right one") from None

    def _content(self, roots: Roots) -> bytes:
        first, *others = (self._entry(root) for root in roots)
        return json.dumps({"v": 1, **first} | ({"previous": others[0]} if others else {})).encode("utf-8")

    def _entry(self, root: Root) -> KeyFile:
        if isinstance(root, TokenRoot):
            return {"token": root.token.label, "group": root.group, "key": root.key}
        assert isinstance(root, FileRoot)  # noqa: S101  (there are two kinds)
        check_passphrase(self._access.passphrase())
        salt = secrets.token_bytes(16)
        key = _derive(self._access.passphrase(), salt, SCRYPT)
        wrapped = b64url(encrypt(key, root.key, _BOUND_TO))
        return {"kdf": "scrypt", "scrypt": SCRYPT, "salt": b64url(salt), "wrapped": wrapped}


def token_group(folder: Path) -> str | None:
    """Return the group of a folder's keys in the token; None unless its root key lies there and nowhere else."""
    path = folder / _NAME
    kept = _read(path) if path.exists() else {}
    return kept.get("group") if "previous" not in kept or "token" in kept["previous"] else None


def check_passphrase(passphrase: str) -> None:
    """Raise ConfigurationError, without the passphrase, where it can be guessed from a copy of the folder."""
    if len(passphrase) < SHORTEST or len(set(passphrase)) < _DIFFERENT:
        raise ConfigurationError(
            f"the passphrase is too weak: it needs {SHORTEST} characters, {_DIFFERENT} of them different; "
            "six words by dice or `openssl rand -base64 24` will do"
        )


def _read(path: Path) -> KeyFile:
    content: KeyFile = json.loads(path.read_bytes())
    return content


def _derive(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode("utf-8"))
