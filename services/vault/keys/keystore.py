"""Keep the vault's keys in a folder outside the database: destroying one file makes a whole campaign unreadable.

Root key (sealed by a passphrase: scrypt, RFC 7914) → one file per campaign → data keys in the database. A
destroyed campaign leaves a tombstone with the fingerprint of its key and never gets a new one (R-C11, R-C12).
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import KEY_BYTES, NotDecryptableError, decrypt, encrypt
from services.vault.keys.signing import VaultSigningKey
from shared.encoding import b64url, unb64url
from shared.errors import ConfigurationError, NotReadyError, PermanentError
from shared.files import create_once, overwrite_and_remove, write_atomic
from shared.ids import CampaignId
from shared.signing import SigningKey

_SCRYPT = {"n": 2**15, "r": 8, "p": 1}


class VaultLockedError(NotReadyError):
    """Raised when the vault was sealed; nothing is decrypted until it is restarted with its passphrase."""


class KeyDestroyedError(PermanentError):
    """Raised when the campaign was erased; nothing of it can be opened any more."""


class Keystore:
    """Keys of one installation; several vault processes share the folder."""

    def __init__(self, folder: Path, root: bytes) -> None:
        self._folder = folder
        self._root: bytes | None = root
        self._seal = self._read_seal()
        self._cached: dict[CampaignId, CampaignKeys] = {}
        self._signing: SigningKey | None = None
        self.signing = VaultSigningKey(self._open_signing)
        """Key of everything that the vault signs. Once sealed it signs nothing: VaultLockedError."""
        self.bounce_key = self._load("bounce.json", "bounce-key", _new_key)
        """Key of the bounce addresses of the installation (`docs/protocols.md` §3)."""

    @classmethod
    def open(cls, folder: Path, passphrase: str) -> Self:
        """Open, or create at the first start. Raises ConfigurationError for a wrong passphrase."""
        if not passphrase:
            raise ConfigurationError("the vault's passphrase is empty; write one into KUJI_PASSPHRASE_FILE")
        (folder / "campaigns").mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = _create_once(folder / "root.json", lambda: _new_root(passphrase))
        try:
            key = _derive(passphrase, unb64url(kept["salt"]), kept["scrypt"])
            return cls(folder, bytes(decrypt(key, unb64url(kept["wrapped"]), "kuji/root-key/1")))
        except NotDecryptableError:
            raise ConfigurationError("the passphrase does not open the vault's root key; give the right one") from None

    def lock(self) -> None:
        """Seal the vault (R-C8): this process forgets every key at once, all others of the folder at their next look.

        Only a restart with the passphrase opens it again.
        """
        write_atomic(self._folder / "sealed", secrets.token_hex(16).encode("ascii"))
        self._forget()

    @property
    def locked(self) -> bool:
        if self._root is not None and self._read_seal() != self._seal:
            self._forget()
        return self._root is None

    async def ready(self) -> bool:
        """For health checks: a sealed vault is alive and not ready."""
        return not self.locked

    def _forget(self) -> None:
        self._root = self._signing = None
        self._cached.clear()

    def _read_seal(self) -> str:
        """Return the mark of the last sealing; it changes each time."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "sealed").read_text("utf-8")
        return ""

    def campaign(self, campaign: CampaignId) -> CampaignKeys:
        """Return the keys of a campaign that exists and was not destroyed.

        Raises VaultLockedError, KeyDestroyedError; KeyError for a campaign without keys.
        """
        self._key()
        self._refuse_destroyed(campaign)
        path = self._path(campaign)
        if not path.exists():
            self._cached.pop(campaign, None)
            raise KeyError(campaign)
        if campaign not in self._cached:
            self._cached[campaign] = self._open_campaign(campaign, json.loads(path.read_text("utf-8")))
        return self._cached[campaign]

    def staff_key(self) -> bytes:
        """Return the key of staff data, which outlives campaigns (ADR 28). Raises VaultLockedError."""
        return self._load("staff.json", "staff-key", _new_key)

    def ensure_campaign(self, campaign: CampaignId, not_after: datetime) -> CampaignKeys:
        """Return the campaign's keys, made at the first call. Raises KeyDestroyedError after its erasure."""
        self._refuse_destroyed(campaign)
        path = self._path(campaign)
        _create_once(
            path,
            lambda: {"v": 1, "wrapped": self._wrap(CampaignKeys.generate(campaign, not_after).to_json(), campaign)},
        )
        try:
            return self.campaign(campaign)
        except KeyDestroyedError:
            path.unlink(missing_ok=True)  # destroyed meanwhile: what was made here has sealed nothing
            raise

    def destroy_campaign_key(self, campaign: CampaignId) -> str:
        """Overwrite, flush and remove the campaign's key file; returns the key's fingerprint. Safe to repeat."""
        kept = self.fingerprint_of_destroyed(campaign)
        if kept is None:
            kept = self.campaign(campaign).fingerprint
            gone = {"v": 1, "fingerprint": kept, "destroyed_at": datetime.now(UTC).isoformat()}
            _create_once(self._tombstone(campaign), lambda: gone)
        overwrite_and_remove(self._path(campaign))
        self._cached.pop(campaign, None)
        return kept

    def _refuse_destroyed(self, campaign: CampaignId) -> None:
        """Raise KeyDestroyedError if there is a tombstone, even beside a key file: the tombstone is written first."""
        if self.fingerprint_of_destroyed(campaign):
            self._cached.pop(campaign, None)
            raise KeyDestroyedError(f"the key of campaign {campaign} was destroyed")

    def fingerprint_of_destroyed(self, campaign: CampaignId) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            return str(json.loads(self._tombstone(campaign).read_text("utf-8"))["fingerprint"])
        return None

    def _open_signing(self) -> SigningKey:
        self._key()
        if self._signing is None:
            seed = self._load("signing.json", "signing", lambda: SigningKey.generate().to_bytes())
            self._signing = SigningKey.from_bytes(seed)
        return self._signing

    def _open_campaign(self, campaign: CampaignId, kept: Mapping[str, Any]) -> CampaignKeys:
        return CampaignKeys.from_json(decrypt(self._key(), unb64url(kept["wrapped"]), f"kuji/campaign/1\x00{campaign}"))

    def _wrap(self, plaintext: bytes, campaign: CampaignId) -> str:
        return b64url(encrypt(self._key(), plaintext, f"kuji/campaign/1\x00{campaign}"))

    def _load(self, name: str, bound_to: str, make: Callable[[], bytes]) -> bytes:
        kept = _create_once(
            self._folder / name, lambda: {"v": 1, "wrapped": b64url(encrypt(self._key(), make(), f"kuji/{bound_to}/1"))}
        )
        return bytes(decrypt(self._key(), unb64url(kept["wrapped"]), f"kuji/{bound_to}/1"))

    def _key(self) -> bytes:
        if self.locked or self._root is None:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")
        return self._root

    def _path(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.json"

    def _tombstone(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.destroyed"

    def __repr__(self) -> str:
        return "Keystore(…)"


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _new_root(passphrase: str) -> Mapping[str, Any]:
    salt = secrets.token_bytes(16)
    wrapped = encrypt(_derive(passphrase, salt, _SCRYPT), secrets.token_bytes(KEY_BYTES), "kuji/root-key/1")
    return {"v": 1, "kdf": "scrypt", "scrypt": _SCRYPT, "salt": b64url(salt), "wrapped": b64url(wrapped)}


def _derive(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, **cost).derive(passphrase.encode("utf-8"))


def _create_once(path: Path, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the file's JSON; create it where it does not exist, unless another process is first."""
    kept: Mapping[str, Any] = json.loads(create_once(path, lambda: json.dumps(make()).encode("utf-8")))
    return kept
