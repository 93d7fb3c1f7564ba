"""Service keys: one Ed25519 key per service, with which it signs its events and documents (`docs/protocols.md`).

A folder holds the service's own private key (`<service>.key`) and the public keys of all services
(`public-keys.json`). Both files are read again when they change, so that a key is rotated without a stop.
The lottery has a second key, its signing key (`lottery-signing.key`), for manifests, passes and slips.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from shared.encoding import unb64url
from shared.errors import ConfigurationError
from shared.ids import EventId
from shared.json_types import JsonObject
from shared.signing import SigningKey, VerifyKey, key_name, signed_bytes

EVENT_CONTEXT: Final = "kuji/event/2"
PUBLIC_KEYS: Final = "public-keys.json"
_FRESH_S: Final = 1.0
"""Time for which a file is believed unchanged: a revoked key is refused after this time at the latest."""

KeyState = Literal["active", "verify", "revoked"]
"""`active`: signs. `verify`: retired, its signatures stay valid. `revoked`: stolen, its signatures are refused."""

KeyUse = Literal["service", "signing"]
"""`service`: events, receipts and erasure answers. `signing`: the lottery's records and slips. Neither stands for the
other."""


@dataclass(frozen=True)
class EventSignature:
    """Signature of one event: its publisher, the name of the publisher's key, and base64url of the signature."""

    publisher: str
    key: str
    signature: str


@dataclass(frozen=True)
class PublicKey:
    """Public key of a service, base64url of 32 bytes."""

    service: str
    public_key: str
    state: KeyState = "active"
    use: KeyUse = "service"

    @property
    def key(self) -> str:
        return key_name(self.public_key)

    def to_json(self) -> dict[str, str]:
        return {
            "service": self.service,
            "use": self.use,
            "key": self.key,
            "public_key": self.public_key,
            "state": self.state,
        }


class ServiceKey:
    """Private key of one service for one use. Raises ConfigurationError where the file is absent or holds no key."""

    def __init__(self, folder: Path, service: str, use: KeyUse = "service") -> None:
        self.service = service
        self._file = _ReadAgain(folder / key_file(service, use))
        self._key = self._read()

    @property
    def name(self) -> str:
        """Return the name of the key that signs now."""
        return self._current().name

    @property
    def public(self) -> str:
        return self._current().public

    @property
    def signing_key(self) -> SigningKey:
        """Return the key that signs now."""
        return self._current()

    def sign_document(self, context: str, document: Mapping[str, Any]) -> JsonObject:
        """Return the document with the members `key` and `signature` (Ed25519 over context, 0x00, canonical JSON)."""
        return self._current().sign_in_context(context, document)

    def sign_event(self, name: str, event_id: EventId, body: bytes) -> EventSignature:
        """Sign an event of this service."""
        key = self._current()
        return EventSignature(self.service, key.name, key.sign(event_bytes(name, event_id, self.service, body)))

    def _current(self) -> SigningKey:
        if self._file.changed():
            with suppress(ConfigurationError):  # the old key stays in use until the new file is whole
                self._key = self._read()
        return self._key

    def _read(self) -> SigningKey:
        return _parse_private_key(self._file)

    def __repr__(self) -> str:
        return f"ServiceKey(service={self.service}, key={self._key.name})"


class PublicKeys:
    """Public keys of all services. Raises ConfigurationError where the file is absent or malformed."""

    def __init__(self, folder: Path) -> None:
        self._file = _ReadAgain(folder / PUBLIC_KEYS)
        self._by_name = self._read()

    def verify_document(self, context: str, document: Mapping[str, Any], service: str, use: KeyUse = "service") -> bool:
        """Return True if a valid key of `service` for this use signed the document in this context."""
        name, signature = document.get("key"), document.get("signature")
        key = self._find(name, service, use) if isinstance(name, str) else None
        if key is None or not isinstance(signature, str):
            return False
        try:
            message = signed_bytes(context, document)
        except ValueError:
            return False
        return key.verify(message, signature)

    def of_service(self, service: str, use: KeyUse = "service") -> tuple[PublicKey, ...]:
        """Return all keys of a service for this use, the active ones first."""
        self._read_if_changed()
        keys = [entry for entry, _ in self._by_name.values() if (entry.service, entry.use) == (service, use)]
        return tuple(sorted(keys, key=lambda entry: (entry.state != "active", entry.key)))

    def verify_event(self, signed: EventSignature, name: str, event_id: EventId, body: bytes) -> bool:
        """Return True if a valid key of the publisher signed the event under this name and id."""
        key = self._find(signed.key, signed.publisher, "service")
        return key is not None and key.verify(event_bytes(name, event_id, signed.publisher, body), signed.signature)

    def _find(self, name: str, service: str, use: KeyUse) -> VerifyKey | None:
        """Return the key of this name if it belongs to `service` for this use and is not revoked."""
        self._read_if_changed(at_once=name not in self._by_name)
        entry, key = self._by_name.get(name, (None, None))
        if entry is None or (entry.service, entry.use) != (service, use) or entry.state == "revoked":
            return None
        return key

    def _read_if_changed(self, *, at_once: bool = False) -> None:
        if self._file.changed(at_once=at_once):
            with suppress(ConfigurationError):
                self._by_name = self._read()

    def _read(self) -> dict[str, tuple[PublicKey, VerifyKey]]:
        try:
            entries = parse_public_keys(self._file.read())
            return {entry.key: (entry, VerifyKey(entry.public_key)) for entry in entries}
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError(f"{PUBLIC_KEYS} is malformed; restore it or make the keys anew") from None


class _ReadAgain:
    """A small file that another process replaces now and then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._looked_at = 0.0

    def read(self) -> str:
        stamp = self._stamp()
        try:
            text = self.path.read_text("utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"{self.path.name} in KUJI_SERVICE_KEYS_DIR cannot be read ({error.strerror}); "
                "./kuji up and ./kuji compose init make it"
            ) from None
        self._seen = stamp
        return text

    def changed(self, *, at_once: bool = False) -> bool:
        """Return True if the file was replaced; look at most once a second unless `at_once`."""
        now = time.monotonic()
        if not at_once and now - self._looked_at < _FRESH_S:
            return False
        self._looked_at = now
        stamp = self._stamp()
        return stamp is not None and stamp != self._seen

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def event_bytes(name: str, event_id: EventId, publisher: str, body: bytes) -> bytes:
    """Return the bytes that are signed for an event (`docs/protocols.md`, signed events)."""
    head = f"{EVENT_CONTEXT}\x00{name}\x00{event_id}\x00{publisher}"
    return head.encode("utf-8") + b"\x00" + hashlib.sha256(body).digest()


def key_file(service: str, use: KeyUse = "service") -> str:
    """Return the name of the file with the private key of `service` for this use."""
    return f"{service}.key" if use == "service" else f"{service}-{use}.key"


def read_private_key(folder: Path, service: str, use: KeyUse) -> SigningKey:
    """Return a private key. Raises ConfigurationError where the file is absent or holds no key."""
    return _parse_private_key(_ReadAgain(folder / key_file(service, use)))


def parse_public_keys(text: str) -> tuple[PublicKey, ...]:
    """Read the file of public keys. Raises KeyError, TypeError or ValueError where it is malformed."""
    entries = tuple(
        PublicKey(str(entry["service"]), str(entry["public_key"]), _state(entry["state"]), _use(entry["use"]))
        for entry in json.loads(text)["keys"]
    )
    if len({entry.key for entry in entries}) != len(entries):
        raise ValueError("the same key twice")
    return entries


def _parse_private_key(file: _ReadAgain) -> SigningKey:
    try:
        return SigningKey.from_bytes(unb64url(file.read().strip()))
    except ValueError:
        raise ConfigurationError(f"{file.path.name} holds no Ed25519 key; make the keys anew") from None


def _state(text: str) -> KeyState:
    for state in get_args(KeyState):
        if text == state:
            return state  # type: ignore[no-any-return]
    raise ValueError("unknown state of a key")


def _use(text: str) -> KeyUse:
    for use in get_args(KeyUse):
        if text == use:
            return use  # type: ignore[no-any-return]
    raise ValueError("unknown use of a key")


def format_public_keys(keys: tuple[PublicKey, ...]) -> str:
    """Write the file of public keys."""
    return json.dumps({"v": 2, "keys": [key.to_json() for key in keys]}, indent=1) + "\n"
