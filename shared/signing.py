"""Ed25519 signatures (RFC 8032) over canonical JSON; keys and signatures travel as base64url."""

import hashlib
from collections.abc import Mapping
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.canonical import canonical
from shared.encoding import b64url, unb64url
from shared.json_types import JsonObject


class SigningKey:
    """A private key. Its `repr` shows the public key only."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = b64url(private.public_key().public_bytes_raw())
        self._name = key_name(self._public)

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, seed: bytes) -> Self:
        """Return the key of a 32-byte seed (RFC 8032). Raises ValueError for another length."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    def to_bytes(self) -> bytes:
        return self._private.private_bytes_raw()

    def to_text(self) -> str:
        """Return the 32-byte seed as base64url, as it is written to a file."""
        return b64url(self.to_bytes())

    @property
    def public(self) -> str:
        return self._public

    @property
    def name(self) -> str:
        """Name of the key in signed documents."""
        return self._name

    @property
    def verifying(self) -> tuple[str, ...]:
        """Public keys by which signatures of this holder are verified: its own first, then earlier ones."""
        return (self.public,)

    def sign(self, message: bytes) -> str:
        return b64url(self._private.sign(message))

    def sign_document(self, document: Mapping[str, Any]) -> JsonObject:
        """Return the document with a `signature` over its canonical JSON without that member."""
        unsigned = _unsigned(document)
        return {**unsigned, "signature": self.sign(canonical(unsigned))}

    def sign_in_context(self, context: str, document: Mapping[str, Any]) -> JsonObject:
        """Return the document with `key` and with a `signature` that is valid in this context only."""
        named = {**document, "key": self.name}
        return {**_unsigned(named), "signature": self.sign(signed_bytes(context, named))}

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public})"


class VerifyKey:
    """A public key, parsed once. Raises ValueError where the text is not base64url of an Ed25519 public key."""

    def __init__(self, public: str) -> None:
        self._public = Ed25519PublicKey.from_public_bytes(unb64url(public))

    def verify(self, message: bytes, signature: str) -> bool:
        """Return True if `signature` over `message` is by this key; False for anything malformed."""
        try:
            self._public.verify(unb64url(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_name(public: str) -> str:
    """Return the first 16 hex digits of SHA-256 of the public key's 32 bytes."""
    return hashlib.sha256(unb64url(public)).hexdigest()[:16]


def signed_bytes(context: str, document: Mapping[str, Any]) -> bytes:
    """Return the signed bytes: context, 0x00, canonical JSON without `signature`. Raises ValueError for no JSON."""
    return context.encode("utf-8") + b"\x00" + canonical(_unsigned(document))


def verify_in_context(public: str, context: str, document: Mapping[str, Any]) -> bool:
    """Return True if `public` signed the document by `SigningKey.sign_in_context`."""
    signature = document.get("signature")
    if document.get("key") != key_name(public) or not isinstance(signature, str):
        return False
    return verify(public, signed_bytes(context, document), signature)


def _unsigned(document: Mapping[str, Any]) -> JsonObject:
    return {member: value for member, value in document.items() if member != "signature"}


def verify(public: str, message: bytes, signature: str) -> bool:
    """Return True if `signature` over `message` is by `public`; False for anything malformed."""
    try:
        Ed25519PublicKey.from_public_bytes(unb64url(public)).verify(unb64url(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_document(public: str, document: Mapping[str, Any]) -> bool:
    """Return True if `public` signed the document by `SigningKey.sign_document`."""
    signature = document.get("signature")
    return isinstance(signature, str) and verify(public, canonical(_unsigned(document)), signature)
