"""Errors of keys that cannot be used now, and of keys that were destroyed in a token."""

from services.vault.keys.ciphers.envelope import NotDecryptableError
from shared.errors import NotReadyError


class VaultLockedError(NotReadyError):
    """Raised when the vault was sealed; nothing is decrypted until it is restarted with its passphrase."""


class TokenAwayError(VaultLockedError):
    """Raised when the token with the root key does not answer, or without that key. The text says what to do.

    Nothing is decrypted or signed meanwhile; the vault goes on by itself when the token is back. `reason` is a code.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class TokenKeyGoneError(NotDecryptableError):
    """Raised when the token answers and no longer has the key that opens this: it was destroyed."""
