"""Keep the vault's keys in a folder outside the database: destroying one file makes a whole campaign unreadable.

Root key (sealed by a passphrase: scrypt, RFC 7914; or in a PKCS#11 token) → one file per campaign → data keys in the
database. A destroyed campaign leaves a tombstone with the fingerprint of its key and never gets a new one (R-C11,
R-C12). In a token each campaign's file has a key of its own, which is destroyed with it: copies of the file stay shut.
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from services.vault.keys.access import RootAccess
from services.vault.keys.campaign_keys import CampaignKeys, bound_to_campaign
from services.vault.keys.ciphers.envelope import KEY_BYTES
from services.vault.keys.copies import copies_until
from services.vault.keys.errors import TokenAwayError, TokenKeyGoneError, VaultLockedError
from services.vault.keys.folder_lock import LONGEST_WAIT_S, FolderBusyError, folder_lock
from services.vault.keys.held_roots import HeldRoots
from services.vault.keys.roots import KeyFile
from services.vault.keys.signing import VaultSigningKey
from services.vault.keys.signing_keys import SigningKeys
from shared.errors import ConfigurationError, PermanentError
from shared.files import create_once, overwrite_and_remove
from shared.ids import CampaignId
from shared.signing import SigningKey


class KeyDestroyedError(PermanentError):
    """Raised when the campaign was erased; nothing of it can be opened any more."""


class CampaignKeyGoneError(KeyDestroyedError):
    """Raised where the token lacks a campaign's key and nothing here says that the campaign was erased.

    The folder is a copy from before the erasure, or the token a copy from before the key was made.
    """

    def __init__(self, campaign: CampaignId) -> None:
        super().__init__(
            f"the token has no key of campaign {campaign}, and the key folder no note of its erasure: put in the right "
            f"token, if this is an older one; if the campaign was erased, restore the folder again with its certificate"
        )


class Keystore:
    """Keys of one installation; several vault processes share the folder."""

    def __init__(self, folder: Path, access: RootAccess, lock_wait_s: float = LONGEST_WAIT_S) -> None:
        self._folder, self.lock_wait_s = folder, lock_wait_s
        self._cached: dict[CampaignId, tuple[object, CampaignKeys]] = {}
        self.signing_keys = SigningKeys(folder)
        self._roots = HeldRoots(folder, access, self._forget_opened)
        self.signing = VaultSigningKey(self._open_signing, self.signing_keys.verifying)
        """Key of everything that the vault signs. Once sealed it signs nothing: VaultLockedError."""
        self.bounce_key = self.load("bounce.json", "bounce-key", _new_key)
        """Key of the bounce addresses of the installation (`docs/protocols.md` §3)."""

    @classmethod
    def open(
        cls, folder: Path, access: str | Callable[[], str] | RootAccess, *, lock_wait_s: float = LONGEST_WAIT_S
    ) -> Self:
        """Open, or create at the first start. `access`: the passphrase, a function that reads it, or all there is.

        A function is asked again after the root key was rotated, so that the process goes on without a stop.
        `lock_wait_s`: longest wait for another process that changes the folder. Raises ConfigurationError for a wrong
        passphrase, a new weak one, a token that does not open, or a folder that stays locked.
        """
        (folder / "campaigns").mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return cls(folder, RootAccess.of(access), lock_wait_s)
        except (TokenAwayError, FolderBusyError) as error:
            raise ConfigurationError(str(error)) from None

    def lock(self) -> None:
        """Seal the vault (R-C8): this process forgets every key at once, all others of the folder at their next look.

        Only a restart with the passphrase, or the token, opens it again.
        """
        self._roots.lock()

    @property
    def locked(self) -> bool:
        return self._roots.locked

    async def ready(self) -> bool:
        """For health checks: a sealed vault is alive and not ready, and so is one whose token is away."""
        with contextlib.suppress(VaultLockedError):
            return bool(self._roots.in_use())
        return False

    async def count_outside_token(self) -> int:
        """Alarm: 1 while a token is set and the root key still lies in a file."""
        return int(self._roots.is_outside_token())

    def _forget_opened(self) -> None:
        self.signing_keys.forget()
        self._cached.clear()

    def campaign(self, campaign: CampaignId) -> CampaignKeys:
        """Return the keys of a campaign that exists and was not destroyed.

        Raises VaultLockedError, KeyDestroyedError, CampaignKeyGoneError; KeyError for a campaign without keys.
        """
        self._roots.in_use()
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
        except TokenKeyGoneError:
            raise CampaignKeyGoneError(campaign) from None
        return keys

    def staff_key(self) -> bytes:
        """Return the key of staff data, which outlives campaigns (ADR 28). Raises VaultLockedError."""
        return self.load("staff.json", "staff-key", _new_key)

    def ensure_campaign(self, campaign: CampaignId, not_after: datetime) -> CampaignKeys:
        """Return the campaign's keys, made at the first call. Raises KeyDestroyedError after its erasure.

        Raises CampaignKeyGoneError where its file does not open in this token: the file stays, and no other is made.
        """
        self._refuse_destroyed(campaign)
        path = self._path(campaign)
        self._create_once(
            path,
            lambda: CampaignKeys.generate(campaign, not_after).to_json(),
            bound_to_campaign(campaign),
            own_key=True,
        )
        try:
            return self.campaign(campaign)
        except KeyDestroyedError:
            if self.fingerprint_of_destroyed(campaign):  # meanwhile: what was made here has sealed nothing
                self._remove(path)
            raise

    def destroy_campaign_key(self, campaign: CampaignId) -> str:
        """Overwrite, flush and remove the campaign's key file; returns the key's fingerprint. Safe to repeat.

        Where the file was sealed by a key of its own in the token, that is destroyed first. Raises TokenAwayError.
        """
        kept = self.fingerprint_of_destroyed(campaign)
        if kept is None:
            kept = self.campaign(campaign).fingerprint
            gone = {"v": 1, "fingerprint": kept, "destroyed_at": datetime.now(UTC).isoformat()}
            create_once(self._tombstone(campaign), lambda: json.dumps(gone).encode("utf-8"))
        self._remove(self._path(campaign))
        self._cached.pop(campaign, None)
        return kept

    def _remove(self, path: Path) -> None:
        """Destroy the file and what opens it, beside a tombstone."""
        with folder_lock(self._folder, alone=True, wait_s=self.lock_wait_s):
            kept: KeyFile | None = None
            with contextlib.suppress(FileNotFoundError, ValueError):  # overwritten by an erasure that was killed then,
                kept = json.loads(path.read_bytes())  # and had destroyed all else before
            if kept is not None:
                self._roots.read_again()  # another process may have moved the root key into the token
                for root in self._roots.in_use():
                    root.discard(kept)
            overwrite_and_remove(path)

    def copies_until(self) -> datetime | None:
        """Return until when a recorded copy that could open what was erased is kept; None where there is none."""
        return copies_until(self._folder)

    @property
    def folder(self) -> Path:
        """Return the folder of the keys."""
        return self._folder

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
        self._roots.in_use()
        return self.signing_keys.current(self.load)

    def _open_campaign(self, campaign: CampaignId, kept: Mapping[str, Any]) -> CampaignKeys:
        return CampaignKeys.from_json(self._roots.decrypt(kept, bound_to_campaign(campaign)))

    def load(self, name: str, bound_to: str, make: Callable[[], bytes]) -> bytes:
        """Return the secret of a file, made where there is none. Raises VaultLockedError."""
        kept = self._create_once(self._folder / name, make, f"kuji/{bound_to}/1")
        return bytes(self._roots.decrypt(kept, f"kuji/{bound_to}/1"))

    def _create_once(self, path: Path, make: Callable[[], bytes], bound_to: str, *, own_key: bool = False) -> KeyFile:
        """Return the file's JSON; create it where it does not exist, unless another process is first."""
        if not path.exists():
            # A rotation of the root key would leave out a file that is made meanwhile.
            with folder_lock(self._folder, wait_s=self.lock_wait_s):
                self._roots.read_again()
                root = self._roots.in_use()[0]
                made = root.seal(make(), bound_to, own_key=own_key)
                if json.loads(create_once(path, lambda: json.dumps(made).encode("utf-8"))) != made:
                    root.discard(made)
        kept: KeyFile = json.loads(path.read_bytes())
        return kept

    def _path(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.json"

    def _tombstone(self, campaign: CampaignId) -> Path:
        return self._folder / "campaigns" / f"{campaign}.destroyed"

    def __repr__(self) -> str:
        return "Keystore(…)"


def _new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)
