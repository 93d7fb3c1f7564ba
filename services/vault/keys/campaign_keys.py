"""Hold the keys of one campaign: for data keys, sealed applications, the blind index and audit subjects."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from services.vault.keys.ciphers.envelope import KEY_BYTES
from shared.encoding import b64url, unb64url
from shared.ids import CampaignId, KeyId


@dataclass(frozen=True)
class SealingSecret:
    """HPKE key pair (MLKEM768-X25519): seed of 64 bytes and X25519 key of 32; opens until `not_after`."""

    key_id: KeyId
    not_after: datetime
    mlkem_seed: bytes = field(repr=False)
    x25519: bytes = field(repr=False)

    @classmethod
    def generate(cls, campaign: CampaignId, not_after: datetime) -> Self:
        return cls(
            KeyId(f"{campaign[:60]}-{secrets.token_hex(4)}"),
            not_after,
            MLKEM768PrivateKey.generate().private_bytes_raw(),
            X25519PrivateKey.generate().private_bytes_raw(),
        )

    def private_key(self) -> hpke.MLKEM768X25519PrivateKey:
        return hpke.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed), X25519PrivateKey.from_private_bytes(self.x25519)
        )

    def public_key(self) -> hpke.MLKEM768X25519PublicKey:
        """Return the key for sealing, as the key document gives it."""
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed)
        x25519 = X25519PrivateKey.from_private_bytes(self.x25519)
        return hpke.MLKEM768X25519PublicKey(mlkem.public_key(), x25519.public_key())

    def public_bytes(self) -> bytes:
        """ML-KEM-768 key (1184 bytes) ‖ X25519 key (32 bytes), as `docs/protocols.md` §1 has it."""
        mlkem = MLKEM768PrivateKey.from_seed_bytes(self.mlkem_seed).public_key().public_bytes_raw()
        return mlkem + X25519PrivateKey.from_private_bytes(self.x25519).public_key().public_bytes_raw()


@dataclass(frozen=True)
class CampaignKeys:
    """`wrapping` wraps data keys; `index` keys the blind index; `subject` keys the audit log's subjects."""

    wrapping: bytes = field(repr=False)
    index: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    sealing: tuple[SealingSecret, ...]

    @classmethod
    def generate(cls, campaign: CampaignId, not_after: datetime) -> Self:
        wrapping, index, subject = (secrets.token_bytes(KEY_BYTES) for _ in range(3))
        return cls(wrapping, index, subject, (SealingSecret.generate(campaign, not_after),))

    @property
    def fingerprint(self) -> str:
        """Identifier of the key that does not reveal it: 32 hex characters of SHA-256 over a label and the key."""
        return hashlib.sha256(b"kuji/fingerprint/1\x00" + self.wrapping).hexdigest()[:32]

    @property
    def current(self) -> SealingSecret:
        return self.sealing[-1]

    def sealing_secret(self, key_id: KeyId) -> SealingSecret | None:
        return next((each for each in self.sealing if each.key_id == key_id), None)

    def index_of(self, kind: str, value: str) -> str:
        """Return the blind index of a value: equal values have equal hashes; guessing needs the key."""
        return hmac.new(self.index, f"{kind}\x00{value}".encode(), hashlib.sha256).hexdigest()

    def subject_of(self, identifier: str) -> str:
        """Return the name of a person in the audit log: linkable within the campaign until its erasure."""
        return hmac.new(self.subject, identifier.encode(), hashlib.sha256).hexdigest()

    def to_json(self) -> bytes:
        sealing = [
            {
                "key_id": each.key_id,
                "not_after": each.not_after.isoformat(),
                "mlkem_seed": b64url(each.mlkem_seed),
                "x25519": b64url(each.x25519),
            }
            for each in self.sealing
        ]
        keys = {"wrapping": b64url(self.wrapping), "index": b64url(self.index), "subject": b64url(self.subject)}
        return json.dumps({**keys, "sealing": sealing}).encode()

    @classmethod
    def from_json(cls, data: bytes | bytearray) -> Self:
        kept = json.loads(data)
        sealing = tuple(
            SealingSecret(
                each["key_id"],
                datetime.fromisoformat(each["not_after"]),
                unb64url(each["mlkem_seed"]),
                unb64url(each["x25519"]),
            )
            for each in kept["sealing"]
        )
        return cls(unb64url(kept["wrapping"]), unb64url(kept["index"]), unb64url(kept["subject"]), sealing)


def bound_to_campaign(campaign: CampaignId) -> str:
    """Return what the file of a campaign's keys is bound to."""
    return f"kuji/campaign/1\x00{campaign}"
