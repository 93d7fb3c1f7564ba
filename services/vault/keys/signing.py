"""The vault's signing key as its parts hold it: one object for good, without its secret once the vault is sealed."""

from collections.abc import Callable
from contextlib import suppress

from shared.errors import NotReadyError
from shared.signing import SigningKey


class VaultSigningKey(SigningKey):
    """Sign with the key that the keystore opens at each signature; the public half is known also while it is sealed.

    `current` returns the key of the moment. It raises where the vault is locked; this object keeps no secret itself.
    `earlier` returns the public keys that signed before and were not revoked.
    """

    def __init__(self, current: Callable[[], SigningKey], earlier: Callable[[], tuple[str, ...]]) -> None:
        self._current, self._earlier = current, earlier
        self._seen = current().public, current().name

    @property
    def public(self) -> str:
        self._look()
        return self._seen[0]

    @property
    def name(self) -> str:
        """Name of the key in signed documents."""
        self._look()
        return self._seen[1]

    @property
    def verifying(self) -> tuple[str, ...]:
        """Public keys by which signatures of the vault are verified: the present one first."""
        return (self.public, *self._earlier())

    def _look(self) -> None:
        with suppress(NotReadyError):
            self._seen = self._current().public, self._current().name

    def sign(self, message: bytes) -> str:
        return self._current().sign(message)

    def to_bytes(self) -> bytes:
        return self._current().to_bytes()
