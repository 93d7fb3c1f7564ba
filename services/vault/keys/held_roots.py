"""Root keys as one process holds them: read at the start and after a rotation, forgotten when the vault is sealed."""

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path

from services.vault.keys.access import RootAccess
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.errors import TokenAwayError, VaultLockedError
from services.vault.keys.root_file import RootFile
from services.vault.keys.roots import KeyFile, Roots, TokenRoot, open_by_any
from shared.errors import ConfigurationError
from shared.files import write_atomic
from shared.logging import get_logger

_log = get_logger(__name__)


class HeldRoots:
    """Root keys of a key folder. `forget_opened` is called when nothing that they opened may be used any more."""

    def __init__(self, folder: Path, access: RootAccess, forget_opened: Callable[[], None]) -> None:
        self._folder, self._access, self._forget_opened = folder, access, forget_opened
        self._file = RootFile(folder, access)
        self._file.create()
        self._stamp = self._file.stamp()
        self._roots: Roots | None = self._file.open()
        self._roots[0].check()
        self._seal = self._read_seal()

    def lock(self) -> None:
        """Seal the vault: this process forgets every key at once, all others of the folder at their next look."""
        write_atomic(self._folder / "sealed", secrets.token_hex(16).encode("ascii"))
        self._forget()

    @property
    def locked(self) -> bool:
        if self._roots is not None and self._read_seal() != self._seal:
            self._forget()
        return self._roots is None

    def in_use(self) -> Roots:
        """Return the root keys. Raises VaultLockedError; TokenAwayError, after which all is opened anew."""
        if self.locked or self._roots is None:
            raise VaultLockedError("the vault is locked; restart it with its passphrase")
        try:
            self._roots[0].check()
        except TokenAwayError:
            if not self.read_again():
                self._forget_opened()
                raise
            self._roots[0].check()
        return self._roots

    def decrypt(self, kept: KeyFile, bound_to: str) -> bytearray:
        """Open what one of the root keys sealed; after a rotation read them again. Raises NotDecryptableError."""
        try:
            return open_by_any(self.in_use(), kept, bound_to)
        except NotDecryptableError:
            if not self.read_again():
                raise
            return open_by_any(self.in_use(), kept, bound_to)

    def read_again(self) -> bool:
        """Read the root keys where their file was replaced; return False where it was not, or does not open.

        A passphrase that was changed in one of the two files only changes nothing: the keys in memory stay. Where the
        root key was moved to a place that this process was not given, they seal nothing more: VaultLockedError.
        """
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        try:
            self._roots = self._file.open()
        except ConfigurationError as error:
            _log.warning("root-key-not-read-again")
            if self._file.is_in_token() == self._is_in_token():
                return False
            self._forget()
            raise VaultLockedError(f"{error}; then restart the vault") from None
        self._stamp = stamp
        return True

    def is_outside_token(self) -> bool:
        """Return True while a token is set and the root key still lies in a file."""
        return self._access.token is not None and self._roots is not None and not self._is_in_token()

    def _is_in_token(self) -> bool:
        return self._roots is not None and isinstance(self._roots[0], TokenRoot)

    def _forget(self) -> None:
        self._roots = None
        self._forget_opened()
        if self._access.token is not None:
            self._access.token.leave()

    def _read_seal(self) -> str:
        """Return the mark of the last sealing; it changes each time."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / "sealed").read_text("utf-8")
        return ""
