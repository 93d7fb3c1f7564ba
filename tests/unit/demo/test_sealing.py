"""Sealing on the client's side: what comes out opens only with the vault's key and only in its own place."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.demo.sealing import SUITE_NAME, KeyRefusedError, SealingKey
from shared.encoding import b64url, unb64url
from shared.ids import ApplicationId, CampaignId
from shared.signing import SigningKey

CAMPAIGN = CampaignId("777-days")
APPLICATION = ApplicationId("7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21")
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Vault:
    """The other side of the protocol, no more than a test needs."""

    def __init__(self) -> None:
        mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        self.private = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        self.signing = SigningKey.generate()

    def document(self, **changes: Any) -> Mapping[str, Any]:
        return self.signing.sign_document(
            {
                "v": 1,
                "campaign": CAMPAIGN,
                "key_id": "k1",
                "suite": SUITE_NAME,
                "public_key": b64url(self.public),
                "not_after": datetime(2018, 6, 1, tzinfo=UTC).isoformat(),
            }
            | changes
        )

    def key(self) -> SealingKey:
        return SealingKey.from_document(self.document(), campaign=CAMPAIGN, trusted=self.signing.public)


@pytest.fixture
def vault() -> Vault:
    return Vault()


def test_a_sealed_text_opens_with_the_documented_info_string(vault: Vault):
    sealed = unb64url(vault.key().seal(APPLICATION, b"secret"))
    info = b"kuji/application/1\x00777-days\x00k1\x007b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21"
    assert SUITE.decrypt(sealed, vault.private, info) == b"secret"
    assert len(sealed) == 1120 + len(b"secret") + 16


def test_sealed_bytes_do_not_open_under_another_application_id(vault: Vault):
    sealed = unb64url(vault.key().seal(APPLICATION, b"secret"))
    info = b"kuji/application/1\x00777-days\x00k1\x00aaaaaaaa-6f0a-4c1e-9d57-3a8a8f0f6b21"
    with pytest.raises(InvalidTag):
        SUITE.decrypt(sealed, vault.private, info)


def test_sealing_twice_gives_different_texts(vault: Vault):
    key = vault.key()
    assert key.seal(APPLICATION, b"secret") != key.seal(APPLICATION, b"secret")


def test_a_key_signed_with_another_key_is_refused(vault: Vault):
    with pytest.raises(KeyRefusedError, match="signature"):
        SealingKey.from_document(vault.document(), campaign=CAMPAIGN, trusted=Vault().signing.public)


def test_a_key_swapped_after_signing_is_refused(vault: Vault):
    document = {**vault.document(), "public_key": b64url(Vault().public)}
    with pytest.raises(KeyRefusedError, match="signature"):
        SealingKey.from_document(document, campaign=CAMPAIGN, trusted=vault.signing.public)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"campaign": "another"}, "another campaign"),
        ({"v": 2}, "another campaign or version"),
        ({"suite": "RSA"}, "suite"),
        ({"public_key": b64url(b"short")}, "1216 bytes"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_with_its_reason(vault: Vault, changes: dict[str, Any], text: str):
    with pytest.raises(KeyRefusedError, match=text):
        SealingKey.from_document(vault.document(**changes), campaign=CAMPAIGN, trusted=vault.signing.public)


def test_a_key_of_another_campaign_seals_for_that_campaign_only(vault: Vault):
    other = replace(vault.key(), campaign=CampaignId("other"))
    info = b"kuji/application/1\x00777-days\x00k1\x007b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21"
    with pytest.raises(InvalidTag):
        SUITE.decrypt(unb64url(other.seal(APPLICATION, b"secret")), vault.private, info)
