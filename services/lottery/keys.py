"""Hold the lottery's signing key, and know those that signed before it. They lie in the folder of the service keys.

Set-up makes them and tells the vault; `./kuji service-keys rotate lottery --use signing` replaces the key of a lottery
that runs. What a retired key signed stays valid; what a revoked one signed is never signed again.
"""

from pathlib import Path

import nacl.signing

from shared.encoding import b64url
from shared.errors import KujiError
from shared.ids import CampaignId, DrawId
from shared.logging import get_logger
from shared.service_keys import PublicKeys, ServiceKey
from shared.signing import SigningKey, verify

_log = get_logger(__name__)


class RevokedKeyError(KujiError):
    """Raised where the lottery would sign again what none of its keys, or a revoked one, signed before."""


class RefusedRecords:
    """Draws with a record that is not signed again, since its key is not believed: each is told once.

    A record is looked at again when other keys are believed. Until then only drawing again helps.
    """

    def __init__(self, keys: "LotteryKeys") -> None:
        self._keys = keys
        self._believed_then: dict[DrawId, tuple[str, ...]] = {}

    def has(self, draw: DrawId) -> bool:
        """Return True if the draw's record was refused, and the same keys are believed since."""
        return draw in self._believed_then and self._believed_then[draw] == self._keys.believed()

    def add(self, event: str, campaign: CampaignId, draw: DrawId) -> None:
        """Remember the draw and log the event, with what helps."""
        self._believed_then[draw] = self._keys.believed()
        _log.error(event, campaign=campaign, draw=draw, reason="draw-again")


class BulkSigner:
    """Signs by libsodium, in two thirds of OpenSSL's time and without the interpreter's lock: database calls go on.

    Ed25519 is deterministic (RFC 8032 §5.1.6), so the signatures are those of `SigningKey`.
    """

    def __init__(self, key: SigningKey) -> None:
        self.name = key.name
        self._key = nacl.signing.SigningKey(key.to_bytes())

    def sign(self, message: bytes) -> str:
        return b64url(self._key.sign(message).signature)


class LotteryKeys:
    """Keys of an installation, which all its lottery processes share and read again when they are replaced.

    Raises ConfigurationError where they are absent.
    """

    def __init__(self, service_keys_dir: Path) -> None:
        self._key = ServiceKey(service_keys_dir, "lottery", "signing")
        self._published = PublicKeys(service_keys_dir)
        self._bulk = BulkSigner(self._key.signing_key)

    @property
    def signing(self) -> SigningKey:
        """Return the key that signs now. Hold it for as long as one record is written."""
        return self._key.signing_key

    @property
    def bulk(self) -> BulkSigner:
        """Return the signer of slips, by the key that signs now."""
        signing = self.signing
        if self._bulk.name != signing.name:
            self._bulk = BulkSigner(signing)
        return self._bulk

    def believed(self) -> tuple[str, ...]:
        """Return the public keys (base64url) whose signatures are valid: the present one first, revoked ones never."""
        known = {key.public_key: key.state for key in self._published.of_service("lottery", "signing")}
        present = self.signing.public
        # The file of public keys is read again within a second; until then the present key may be missing.
        states = {present: known.get(present, "active"), **known}
        return tuple(key for key, state in states.items() if state != "revoked")

    def signer_of(self, message: bytes, signature: str) -> str:
        """Return the public key that made this signature, also a revoked one; the present one where none did."""
        known = [key.public_key for key in self._published.of_service("lottery", "signing")]
        present = self.signing.public
        return next((key for key in [present, *known] if verify(key, message, signature)), present)

    def check(self, message: bytes, signature: str) -> None:
        """Raise RevokedKeyError unless a key that is believed signed the message."""
        if not any(verify(key, message, signature) for key in self.believed()):
            raise RevokedKeyError("a key that is not believed signed this record: it was revoked, or is not known")
