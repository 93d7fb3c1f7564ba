"""The vault's signing key as its parts hold it: one object for good, without its secret once the vault is sealed."""

from collections.abc import Callable

from shared.signing import SigningKey


class VaultSigningKey(SigningKey):
    """Sign with the key that the keystore opens at each signature; the public half is known also while it is sealed.

    `current` returns the key of the moment. It raises where the vault is locked; this object keeps no secret itself.
    """

    def __init__(self, current: Callable[[], SigningKey]) -> None:
        self._current = current
        self._seen = current().public, current().name

    @property
    def public(self) -> str:
        return self._seen[0]

    @property
    def name(self) -> str:
        """Name of the key in signed documents."""
        return self._seen[1]

    def sign(self, message: bytes) -> str:
        return self._current().sign(message)

    def to_bytes(self) -> bytes:
        return self._current().to_bytes()
