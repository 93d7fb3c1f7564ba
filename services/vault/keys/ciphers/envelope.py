"""Encrypt each record under a data key of its own, and wrap the data key by the campaign's key.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces; a data key encrypts one record once. What a record is
bound to (campaign, token, kind) is associated data: moved elsewhere, it does not open.
"""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import PermanentError

_NONCE = 12
_TAG = 16
KEY_BYTES = 32


class NotDecryptableError(PermanentError):
    """Raised when the key is another one, or the bytes or their associated data were changed."""


@dataclass(frozen=True, repr=False)
class Sealed:
    """Encrypted record: nonce ‖ ciphertext ‖ tag, and its data key wrapped the same way."""

    wrapped_key: bytes
    ciphertext: bytes


def seal(key: bytes, plaintext: bytes | bytearray, bound_to: str) -> Sealed:
    """Encrypt one record; `key` is the campaign's (32 bytes)."""
    data_key = bytearray(AESGCM.generate_key(256))
    try:
        return Sealed(
            wrapped_key=encrypt(key, data_key, "data-key\x00" + bound_to),
            ciphertext=encrypt(data_key, plaintext, bound_to),
        )
    finally:
        wipe(data_key)


def unseal(key: bytes, sealed: Sealed, bound_to: str) -> bytearray:
    """Return the record in a buffer that the caller wipes. Raises NotDecryptableError."""
    return Unsealer(key).unseal(sealed.wrapped_key, sealed.ciphertext, bound_to)


class Unsealer:
    """Opens many records under one campaign's key, whose schedule is expanded once. Keep it no longer than the work."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def unseal(self, wrapped_key: bytes, ciphertext: bytes, bound_to: str) -> bytearray:
        """Return the record in a buffer that the caller wipes. Raises NotDecryptableError."""
        data_key = _opened(self._cipher, wrapped_key, "data-key\x00" + bound_to)
        try:
            return decrypt(data_key, ciphertext, bound_to)
        finally:
            wipe(data_key)


def encrypt(key: bytes | bytearray, plaintext: bytes | bytearray, bound_to: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to.encode())


def decrypt(key: bytes | bytearray, data: bytes, bound_to: str) -> bytearray:
    """Decrypt into a buffer that can be wiped; the library's own `decrypt` leaves copies that cannot."""
    try:
        cipher = AESGCM(key)
    except ValueError:
        raise NotDecryptableError("a record does not open with this key") from None
    return _opened(cipher, data, bound_to)


def _opened(cipher: AESGCM, data: bytes, bound_to: str) -> bytearray:
    plaintext = bytearray(max(0, len(data) - _NONCE - _TAG))
    try:
        cipher.decrypt_into(data[:_NONCE], data[_NONCE:], bound_to.encode(), plaintext)
    except (InvalidTag, ValueError):
        raise NotDecryptableError("a record does not open with this key") from None
    return plaintext


def wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
