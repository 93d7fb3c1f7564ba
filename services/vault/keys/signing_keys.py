"""The vault's signing keys: the one that signs, the one that comes next, and those that signed before.

States are those of service keys: `active` signs, `verify` signed before, `revoked` was stolen. Which of them a reader
believes, the reader's pin says (`shared/pinned_keys.py`); this list only tells staff what to pin.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from shared.errors import ConfigurationError
from shared.files import write_atomic
from shared.json_types import JsonObject
from shared.signing import SigningKey, key_name

SIGNING_FILE: Final = "signing.json"
NEXT_FILE: Final = "signing-next.json"
_EARLIER_FILE: Final = "signing-earlier.json"

Load = Callable[[str, str, Callable[[], bytes]], bytes]
"""Returns the secret of a file, made where there is none. Arguments: name, what it is bound to, how to make it."""

State = Literal["next", "active", "verify", "revoked"]


@dataclass(frozen=True)
class PublicSigningKey:
    """Public half (base64url) and state of a signing key."""

    public_key: str
    state: State

    def to_json(self) -> JsonObject:
        """Return the entry of `GET /v1/signing-key`."""
        return {"key": key_name(self.public_key), "public_key": self.public_key, "state": self.state}


class SigningKeys:
    """Files of the signing keys in a key folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._key: SigningKey | None = None

    def current(self, load: Load) -> SigningKey:
        """Return the key that signs now; read again after another one was activated."""
        path = self._folder / SIGNING_FILE
        if self._key is None or self._stamp != _stamp(path):
            self._key = SigningKey.from_bytes(load(SIGNING_FILE, "signing", _new_seed))
            self._stamp = _stamp(path)
        return self._key

    def prepare(self, load: Load) -> SigningKey:
        """Return the key that comes next, made at the first call."""
        return SigningKey.from_bytes(load(NEXT_FILE, "signing-next", _new_seed))

    def forget(self) -> None:
        """Forget the secret."""
        self._key = None

    def earlier(self) -> tuple[PublicSigningKey, ...]:
        """Return the keys that signed before, the latest first."""
        try:
            entries = json.loads((self._folder / _EARLIER_FILE).read_bytes())["keys"]
        except FileNotFoundError:
            return ()
        return tuple(PublicSigningKey(each["public_key"], each["state"]) for each in entries)

    def verifying(self) -> tuple[str, ...]:
        """Return the public keys that signed before and were not revoked."""
        return tuple(key.public_key for key in self.earlier() if key.state == "verify")

    def retire(self, public: str) -> None:
        """Add a key to those that signed before."""
        known = [key for key in self.earlier() if key.public_key != public]
        self._write([PublicSigningKey(public, "verify"), *known])

    def revoke(self, name: str) -> None:
        """Mark an earlier key as stolen. Raises ConfigurationError for a name that no earlier key has."""
        keys = self.earlier()
        if name not in {key_name(key.public_key) for key in keys}:
            raise ConfigurationError("no earlier signing key has this name; activate another key before you revoke one")
        self._write(
            [PublicSigningKey(key.public_key, "revoked") if key_name(key.public_key) == name else key for key in keys]
        )

    def _write(self, keys: list[PublicSigningKey]) -> None:
        content = {"v": 1, "keys": [key.to_json() for key in keys]}
        write_atomic(self._folder / _EARLIER_FILE, json.dumps(content).encode("ascii"))


def _new_seed() -> bytes:
    return SigningKey.generate().to_bytes()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino
