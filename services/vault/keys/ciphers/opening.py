"""Open sealed applications and papers: HPKE (RFC 9180) base mode, suite and `info` of `docs/protocols.md` §1."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke

from services.vault.keys.campaign_keys import CampaignKeys, SealingSecret
from shared.encoding import b64url, unb64url
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, KeyId, PaperId
from shared.signing import SigningKey

SUITE_NAME = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"


class NotOpenedError(KujiError):
    """Raised when the bytes were not sealed for this campaign, key and id, or were changed since."""


def key_document(campaign: CampaignId, secret: SealingSecret, signing: SigningKey) -> dict[str, object]:
    """Return the document that clients fetch: the public key, signed by the vault."""
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
    """Open bytes sealed for one campaign. The private keys are prepared once: that costs more than opening."""

    def __init__(self, campaign: CampaignId, keys: CampaignKeys) -> None:
        self._campaign = campaign
        self._private = {secret.key_id: secret.private_key() for secret in keys.sealing}
        self._suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

    def open_application(self, sealed: str, key_id: KeyId, application_id: ApplicationId, version: int = 1) -> bytes:
        """Return the plaintext of one version. Raises NotOpenedError.

        Bytes sealed for another version do not open. The same version again does: the caller knows those seen.
        """
        return self._open(sealed, key_id, info(self._campaign, key_id, application_id, version))

    def open_paper(self, sealed: str, key_id: KeyId, paper_id: PaperId) -> bytes:
        """Return the file of a fax or a scan. Raises NotOpenedError."""
        return self._open(sealed, key_id, paper_info(self._campaign, key_id, paper_id))

    def _open(self, sealed: str, key_id: KeyId, bound_to: bytes) -> bytes:
        private = self._private.get(key_id)
        if private is None:
            raise NotOpenedError("sealed for a key that this campaign does not have")
        try:
            return self._suite.decrypt(unb64url(sealed), private, bound_to)
        except (InvalidTag, ValueError):
            raise NotOpenedError("not sealed for this campaign, key and id") from None


def seal_version(
    campaign: CampaignId, secret: SealingSecret, application_id: ApplicationId, version: int, plaintext: bytes
) -> str:
    """Seal a version as the applicant's own program does; base64url. Nothing but this vault opens it."""
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    bound_to = info(campaign, secret.key_id, application_id, version)
    return b64url(suite.encrypt(plaintext, secret.public_key(), bound_to))


def info(campaign: CampaignId, key_id: KeyId, application_id: ApplicationId, version: int = 1) -> bytes:
    """Return HPKE's `info` of one version: version 1 keeps its form, later ones name their number."""
    if version == 1:
        return _joined("kuji/application/1", campaign, key_id, application_id)
    return _joined("kuji/version/2", campaign, key_id, application_id, str(version))


def paper_info(campaign: CampaignId, key_id: KeyId, paper_id: PaperId) -> bytes:
    return _joined("kuji/paper/1", campaign, key_id, paper_id)


def _joined(*parts: str) -> bytes:
    return b"\x00".join(part.encode("ascii") for part in parts)
