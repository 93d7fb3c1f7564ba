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

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import KEY_BYTES, NotDecryptableError, decrypt, encrypt
from services.vault.keys.copies import copies_until
from services.vault.keys.folder_lock import folder_lock
from services.vault.keys.root_file import RootFile, Roots
from services.vault.keys.signing import VaultSigningKey
from services.vault.keys.signing_keys import SigningKeys
from shared.encoding import b64url, unb64url
from shared.errors import ConfigurationError, NotReadyError, PermanentError
from shared.files import create_once, overwrite_and_remove, write_atomic
from shared.ids import CampaignId
from shared.logging import get_logger
from shared.signing import SigningKey

_log = get_logger(__name__)


class VaultLockedError(NotReadyError):
    """Raised when the vault was sealed; nothing is decrypted until it is restarted with its passphrase."""


class KeyDestroyedError(PermanentError):
    """Raised when the campaign was erased; nothing of it can be opened any more."""


class Keystore:
    """Keys of one installation; several vault processes share the folder."""

    def __init__(self, folder: Path, read_passphrase: Callable[[], str]) -> None:
        self._folder, self._read_passphrase = folder, read_passphrase
        self._file = RootFile(folder)
        self._file.create(read_passphrase())
        self._stamp = self._file.stamp()
        self._roots: Roots | None = self._file.open(read_passphrase())
        self._seal = self._read_seal()
        self._cached: dict[CampaignId, tuple[object, CampaignKeys]] = {}
        self.signing_keys = SigningKeys(folder)
        self.signing = VaultSigningKey(self._open_signing, self.signing_keys.verifying)
        """Key of everything that the vault signs. Once sealed it signs nothing: VaultLockedError."""
        self.bounce_key = self.load("bounce.json", "bounce-key", _new_key)
        """Key of the bounce addresses of the installation (`docs/protocols.md` §3)."""

    @classmethod
    def open(cls, folder: Path, passphrase: str | Callable[[], str]) -> Self:
        """Open, or create at the first start. Raises ConfigurationError for a wrong passphrase, or a new weak one.

        A function is asked again after the root key was rotated, so that the process goes on without a stop.
        """
        (folder / "campaigns").mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder, passphrase if callable(passphrase) else lambda: passphrase)

    def lock(self) -> None:
        """Seal the vault (R-C8): this process forgets every key at once, all others of the folder at their next look.

        Only a restart with the passphrase opens it again.
        """
        write_atomic(self._folder / "sealed", secrets.token_hex(16).encode("ascii"))
        self._forget()

    @property
    def locked(self) -> bool:
        if self._roots is not None and self._read_seal() != self._seal:
            self._forget()
        return self._roots is None

    async def ready(self) -> bool:
        """For health checks: a sealed vault is alive and not ready."""
        return not self.locked

    def _forget(self) -> None:
        self._roots = None
        self.signing_keys.forget()
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
        self._keys()
        self._refuse_destroyed(campaign)
        path = self._path(campaign)
        try:
            stamp = path.stat()
            seen, keys = self._cached.get(campaign, (None, None))
            if keys is None or seen != (stamp.st_mtime_ns, stamp.st_ino):
                keys = self._open_campaign(campaign, json.loads(path.read_text("utf-8")))
                self._cached[campaign] = (stamp.st_mtime_ns, stamp.st_ino), keys
        except FileNotFoundError:
            self._cached.pop(campaign, None)
            raise KeyError(campaign) from None
        return keys

    def staff_key(self) -> bytes:
        """Return the key of staff data, which outlives campaigns (ADR 28). Raises VaultLockedError."""
        return self.load("staff.json", "staff-key", _new_key)

    def ensure_campaign(self, campaign: CampaignId, not_after: datetime) -> CampaignKeys:
        """Return the campaign's keys, made at the first call. Raises KeyDestroyedError after its erasure."""
        self._refuse_destroyed(campaign)
        path = self._path(campaign)
        self._create_once(
            path, lambda: CampaignKeys.generate(campaign, not_after).to_json(), bound_to_campaign(campaign)
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
            create_once(self._tombstone(campaign), lambda: json.dumps(gone).encode("utf-8"))
        with folder_lock(self._folder):
            overwrite_and_remove(self._path(campaign))
        self._cached.pop(campaign, None)
        return kept

    def copies_until(self) -> datetime | None:
        """Return until when the last recorded copy of this folder is kept; None where none is recorded."""
        return copies_until(self._folder)

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
        self._keys()
        return self.signing_keys.current(self.load)

    def _open_campaign(self, campaign: CampaignId, kept: Mapping[str, Any]) -> CampaignKeys:
        return CampaignKeys.from_json(self._decrypt(unb64url(kept["wrapped"]), bound_to_campaign(campaign)))

    def load(self, name: str, bound_to: str, make: Callable[[], bytes]) -> bytes:
        """Return the secret of a file, made where there is none. Raises VaultLockedError."""
        kept = self._create_once(self._folder / name, make, f"kuji/{bound_to}/1")
        return bytes(self._decrypt(unb64url(kept["wrapped"]), f"kuji/{bound_to}/1"))

    def _create_once(self, path: Path, make: Callable[[], bytes], bound_to: str) -> Mapping[str, Any]:
        """Return the file's JSON; create it where it does not exist, unless another process is first."""
        if not path.exists():
            with folder_lock(self._folder):  # a rotation of the root key would leave out a file that is made meanwhile
                self._read_root_again()
                create_once(path, lambda: wrap(self._keys()[0], make(), bound_to))
        kept: Mapping[str, Any] = json.loads(path.read_bytes())
        return kept

    def _decrypt(self, data: bytes, bound_to: str) -> bytearray:
        """Open what one of the root keys sealed; after a rotation read them again."""
        try:
            return decrypt_by_any(self._keys(), data, bound_to)
        except NotDecryptableError:
            if not self._read_root_again():
                raise
            return decrypt_by_any(self._keys(), data, bound_to)

    def _read_root_again(self) -> bool:
        """Read the root keys where their file was replaced; return False where it was not, or does not open.

        A passphrase that was changed in one of the two files only changes nothing: the keys in memory stay.
        """
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        try:
            self._roots = self._file.open(self._read_passphrase())
        except ConfigurationError:
            _log.warning("root-key-not-read-again")
            return False
        self._stamp = stamp
        return True

    def _keys(self) -> Roots:
        if self.locked or self._roots is None:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")
        return self._roots

    def _path(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.json"

    def _tombstone(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.destroyed"

    def __repr__(self) -> str:
        return "Keystore(…)"


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def wrap(root: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """Return the content of a file with a key that the root key seals."""
    return json.dumps({"v": 1, "wrapped": b64url(encrypt(root, plaintext, bound_to))}).encode("utf-8")


def decrypt_by_any(roots: Roots, data: bytes, bound_to: str) -> bytearray:
    """Open with the first root key that fits. Raises NotDecryptableError."""
    *others, last = roots
    for root in others:
        with contextlib.suppress(NotDecryptableError):
            return decrypt(root, data, bound_to)
    return decrypt(last, data, bound_to)


def bound_to_campaign(campaign: CampaignId) -> str:
    """Return what the file of a campaign's keys is bound to."""
    return f"kuji/campaign/1\x00{campaign}"
