"""The file of the root key: sealed by a passphrase (scrypt, RFC 7914), and while it is rotated, two of them."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from services.vault.keys.ciphers.envelope import KEY_BYTES, NotDecryptableError, decrypt, encrypt
from shared.encoding import b64url, unb64url
from shared.errors import ConfigurationError
from shared.files import create_once, write_atomic

SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1}
SHORTEST: Final = 20
_DIFFERENT: Final = 8
_BOUND_TO: Final = "kuji/root-key/1"

Roots = tuple[bytes, ...]
"""Root keys in use: the one that seals first, then the one before it while a rotation is under way."""


class RootFile:
    """`root.json` of a key folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "root.json"

    def create(self, passphrase: str) -> None:
        """Make a root key where there is none. Raises ConfigurationError for a weak passphrase, then too."""
        if not self._path.exists():
            check_passphrase(passphrase)
            create_once(self._path, lambda: _write([secrets.token_bytes(KEY_BYTES)], passphrase))

    def open(self, passphrase: str) -> Roots:
        """Return the root keys. Raises ConfigurationError for a wrong passphrase."""
        kept = json.loads(self._path.read_bytes())
        key = _derive(passphrase, unb64url(kept["salt"]), kept["scrypt"])
        wrapped = [kept["wrapped"], *([kept["previous"]] if "previous" in kept else [])]
        try:
            return tuple(bytes(decrypt(key, unb64url(one), _BOUND_TO)) for one in wrapped)
        except NotDecryptableError:
            raise ConfigurationError("the passphrase does not open the vault's root key; give the right one") from None

    def write(self, roots: Roots, passphrase: str) -> None:
        """Replace the file. Raises ConfigurationError for a weak passphrase."""
        check_passphrase(passphrase)
        write_atomic(self._path, _write(roots, passphrase))

    def stamp(self) -> tuple[int, int]:
        """Return what changes when the file is replaced."""
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino


def check_passphrase(passphrase: str) -> None:
    """Raise ConfigurationError, without the passphrase, where it can be guessed from a copy of the folder."""
    if len(passphrase) < SHORTEST or len(set(passphrase)) < _DIFFERENT:
        raise ConfigurationError(
            f"the passphrase is too weak: it needs {SHORTEST} characters, {_DIFFERENT} of them different; "
            "six words by dice or `openssl rand -base64 24` will do"
        )


def _write(roots: Roots | list[bytes], passphrase: str) -> bytes:
    salt = secrets.token_bytes(16)
    key = _derive(passphrase, salt, SCRYPT)
    wrapped = [b64url(encrypt(key, root, _BOUND_TO)) for root in roots]
    content: dict[str, Any] = {"v": 1, "kdf": "scrypt", "scrypt": SCRYPT, "salt": b64url(salt), "wrapped": wrapped[0]}
    return json.dumps(content | ({"previous": wrapped[1]} if wrapped[1:] else {})).encode("utf-8")


def _derive(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode("utf-8"))
