"""The one place that opens an application: HPKE (RFC 9180) base mode, suite and `info` of `docs/protocols.md` §1."""

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke

from services.vault.campaign_keys import CampaignKeys, SealingSecret
from shared.encoding import b64url, unb64url
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, KeyId
from shared.signing import SigningKey

SUITE_NAME = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"


class NotOpened(KujiError):  # noqa: N818  (says what is the case)
    """The bytes were not sealed for this campaign, key and application id, or they have changed since."""


def key_document(campaign: CampaignId, secret: SealingSecret, signing: SigningKey) -> dict[str, Any]:
    """What clients fetch: the public key, signed by the vault."""
    return signing.sign_document(
        {
            "v": 1,
            "campaign": campaign,
            "key_id": secret.key_id,
            "suite": SUITE_NAME,
            "public_key": b64url(secret.public_bytes()),
            "not_after": secret.not_after.isoformat(),
        }
    )


class Opener:
    """Opens applications of one campaign; holds its private keys ready, since making them costs more than opening."""

    def __init__(self, campaign: CampaignId, keys: CampaignKeys) -> None:
        self._campaign = campaign
        self._private = {secret.key_id: secret.private_key() for secret in keys.sealing}
        self._suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

    def open(self, sealed: str, key_id: KeyId, application_id: ApplicationId) -> bytes:
        """The plaintext. Raises NotOpened. A replay opens too: whoever calls keeps the ids seen."""
        private = self._private.get(key_id)
        if private is None:
            raise NotOpened("sealed for a key that this campaign does not have")
        try:
            return self._suite.decrypt(unb64url(sealed), private, info(self._campaign, key_id, application_id))
        except (InvalidTag, ValueError):
            raise NotOpened("not sealed for this campaign, key and id") from None


def info(campaign: CampaignId, key_id: KeyId, application_id: ApplicationId) -> bytes:
    return b"\x00".join(
        part.encode("ascii") for part in ("kuji/application/1", str(campaign), str(key_id), str(application_id))
    )
