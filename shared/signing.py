"""Ed25519 signatures (RFC 8032) over canonical JSON; keys and signatures travel as base64url."""

from collections.abc import Mapping
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.canonical import canonical
from shared.encoding import b64url, unb64url


class SigningKey:
    """A private key that signs and never shows itself."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, seed: bytes) -> Self:
        """From the 32-byte private key of RFC 8032; ValueError for another length."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def to_bytes(self) -> bytes:
        return self._private.private_bytes_raw()

    @property
    def public(self) -> str:
        return b64url(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        return b64url(self._private.sign(message))

    def sign_document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with a `signature` over its canonical JSON without that member."""
        unsigned = {key: value for key, value in document.items() if key != "signature"}
        return {**unsigned, "signature": self.sign(canonical(unsigned))}

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public})"


def verify(public: str, message: bytes, signature: str) -> bool:
    """Whether `signature` over `message` is by `public`; False for anything malformed."""
    try:
        Ed25519PublicKey.from_public_bytes(unb64url(public)).verify(unb64url(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_document(public: str, document: Mapping[str, Any]) -> bool:
    """Counterpart of `SigningKey.sign_document`."""
    signature = document.get("signature")
    unsigned = {key: value for key, value in document.items() if key != "signature"}
    return isinstance(signature, str) and verify(public, canonical(unsigned), signature)
