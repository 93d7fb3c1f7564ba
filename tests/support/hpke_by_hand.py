"""HPKE (RFC 9180) base mode and X-Wing put together from their parts, as a second opinion on the library.

Only what one sealed message needs. The parts are SHA-2, SHA-3, HMAC, X25519, ML-KEM and AES-GCM; the way they are
joined is written after RFC 9180 §4 and §5.1 and draft-connolly-cfrg-xwing-kem-08 §5.3.
"""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

X_WING = 0x647A
MLKEM_PUBLIC = 1184
_HKDF_SHA256 = 0x0001
_AES_256_GCM = 0x0002
_BASE = b"\x00"
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Schedule:
    """The outcome of the key schedule (RFC 9180 §5.1) for one message."""

    key: bytes
    nonce: bytes

    def seal(self, plaintext: bytes) -> bytes:
        return AESGCM(self.key).encrypt(self.nonce, plaintext, b"")


def schedule(shared_secret: bytes, info: bytes, *, kem: int, aead: int = _AES_256_GCM, key_bytes: int = 32) -> Schedule:
    suite = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (kem, _HKDF_SHA256, aead))
    context = _BASE + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared_secret, b"secret", b"")
    return Schedule(
        _expand(suite, secret, b"key", context, key_bytes), _expand(suite, secret, b"base_nonce", context, _NONCE_BYTES)
    )


def encapsulate(public_key: bytes) -> tuple[bytes, bytes]:
    """Shared secret and `enc` for an X-Wing key (ML-KEM-768 ‖ X25519)."""
    mlkem, x25519 = public_key[:MLKEM_PUBLIC], public_key[MLKEM_PUBLIC:]
    mlkem_secret, mlkem_text = MLKEM768PublicKey.from_public_bytes(mlkem).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    sent = ephemeral.public_key().public_bytes_raw()
    agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(x25519))
    return combine(mlkem_secret, agreed, sent, x25519), mlkem_text + sent


def combine(mlkem_secret: bytes, x25519_secret: bytes, sent: bytes, public: bytes) -> bytes:
    return hashlib.sha3_256(mlkem_secret + x25519_secret + sent + public + rb"\.//^" + b"\\").digest()


def seal(public_key: bytes, info: bytes, plaintext: bytes) -> bytes:
    """Return the sealed bytes: enc ‖ ciphertext."""
    shared_secret, enc = encapsulate(public_key)
    return enc + schedule(shared_secret, info, kem=X_WING).seal(plaintext)


def _extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, "sha256")


def _expand(suite: bytes, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
    info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]
