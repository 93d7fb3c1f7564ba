"""Sealing as any outside program does it: check the key document, then seal for the vault alone.

Written from `docs/protocols.md` §1 with the library any outside client may use; it shares no code with the
vault. HPKE (RFC 9180) base mode, KEM MLKEM768-X25519 (draft-ietf-hpke-pq), HKDF-SHA256, AES-256-GCM.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from shared.encoding import b64url, unb64url
from shared.signing import verify_document

if TYPE_CHECKING:  # the edge runs without what ids are made of
    from shared.ids import ApplicationId, CampaignId, KeyId, PaperId

SUITE_NAME: Final = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
_MLKEM_BYTES: Final = 1184
_KEY_BYTES: Final = _MLKEM_BYTES + 32


class KeyRefusedError(Exception):
    """Raised when a key document must not be used; the text names the check that failed."""


@dataclass(frozen=True)
class SealingKey:
    """Checked public key of one campaign; only the vault can open what it seals."""

    campaign: CampaignId
    key_id: KeyId
    not_after: datetime
    public_key: bytes

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, campaign: CampaignId, trusted: str) -> Self:
        """Check signature (Ed25519 by `trusted`, base64url), campaign and suite. Raises KeyRefusedError."""
        if not verify_document(trusted, document):
            raise KeyRefusedError("the signature is not the vault's: do not seal anything with this key")
        if (document.get("v"), document.get("campaign")) != (1, campaign):
            raise KeyRefusedError("the key document is of another campaign or version")
        if document.get("suite") != SUITE_NAME:
            raise KeyRefusedError(f"the suite is not {SUITE_NAME}: this client is too old")
        public_key = unb64url(document["public_key"])
        if len(public_key) != _KEY_BYTES:
            raise KeyRefusedError(f"the public key does not have {_KEY_BYTES} bytes")
        return cls(campaign, document["key_id"], datetime.fromisoformat(document["not_after"]), public_key)

    def seal(self, application_id: ApplicationId, plaintext: bytes, version: int = 1) -> str:
        """Return base64url of enc (1120 bytes) ‖ ciphertext; the same plaintext gives another text each time."""
        return self._sealed(plaintext, sealing_info(self.campaign, self.key_id, application_id, version))

    def seal_paper(self, paper_id: PaperId, plaintext: bytes) -> str:
        """Seal a fax or a scan; base64url as for applications."""
        return self._sealed(plaintext, paper_info(self.campaign, self.key_id, paper_id))

    def _sealed(self, plaintext: bytes, info: bytes) -> str:
        public_key = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.public_key[:_MLKEM_BYTES]),
            X25519PublicKey.from_public_bytes(self.public_key[_MLKEM_BYTES:]),
        )
        return b64url(_suite().encrypt(plaintext, public_key, info))


def sealing_info(campaign: CampaignId, key_id: KeyId, application_id: ApplicationId, version: int = 1) -> bytes:
    """Return HPKE's `info`: a sealed application does not open under another campaign, key, id or version."""
    if version > 1:
        return f"kuji/version/2\x00{campaign}\x00{key_id}\x00{application_id}\x00{version}".encode("ascii")
    return f"kuji/application/1\x00{campaign}\x00{key_id}\x00{application_id}".encode("ascii")


def paper_info(campaign: CampaignId, key_id: KeyId, paper_id: PaperId) -> bytes:
    """Return HPKE's `info` for a paper."""
    return f"kuji/paper/1\x00{campaign}\x00{key_id}\x00{paper_id}".encode("ascii")


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
