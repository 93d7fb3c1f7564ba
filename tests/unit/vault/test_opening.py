"""Opening: known answers, a second opinion, and everything that must not open."""

import hashlib
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.demo.sealing import KeyRefusedError, SealingKey
from services.vault.keys.campaign_keys import CampaignKeys, SealingSecret
from services.vault.keys.ciphers.opening import NotOpenedError, Opener, info, key_document
from shared.encoding import b64url, unb64url
from shared.ids import ApplicationId, CampaignId, KeyId, new_application_id
from shared.signing import SigningKey
from tests.support import hpke_by_hand, xwing_vector
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER

PLAINTEXT = "何が入っていても".encode()
KEYS = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
KEY_ID = KEYS.current.key_id
OPENER = Opener(CAMPAIGN, KEYS)


def sealed(application_id: ApplicationId, plaintext: bytes = PLAINTEXT) -> str:
    """Sealed by the demo's client, which knows the vault only by its key document."""
    signing = SigningKey.generate()
    document = key_document(CAMPAIGN, KEYS.current, signing)
    return SealingKey.from_document(document, campaign=CAMPAIGN, trusted=signing.public).seal(application_id, plaintext)


def test_a_version_opens_only_in_its_place():
    application_id = new_application_id()
    signing = SigningKey.generate()
    key = SealingKey.from_document(
        key_document(CAMPAIGN, KEYS.current, signing), campaign=CAMPAIGN, trusted=signing.public
    )
    for version in (1, 2, 12):
        text = key.seal(application_id, PLAINTEXT, version)
        assert OPENER.open_application(text, KEY_ID, application_id, version) == PLAINTEXT
        for other in {1, 2, 3, 12} - {version}:
            with pytest.raises(NotOpenedError):
                OPENER.open_application(text, KEY_ID, application_id, other)


def test_the_second_opinion_agrees_with_rfc_9180():
    """Appendix A.1.1: from shared secret and info to key and base nonce."""
    secret = bytes.fromhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
    found = hpke_by_hand.schedule(secret, b"Ode on a Grecian Urn", kem=0x0020, aead=0x0001, key_bytes=16)
    assert found.key.hex() == "4531685d41d65f03dc48f6b8302c05b0"
    assert found.nonce.hex() == "56d890e5accaaf011cff4b7d"


def test_the_vector_of_the_draft_opens():
    """Return the draft's ciphertext, and a message that the second implementation sealed under its shared secret."""
    expanded = hashlib.shake_256(xwing_vector.SEED).digest(96)
    secret = SealingSecret(KeyId("k"), NOT_AFTER, mlkem_seed=expanded[:64], x25519=expanded[64:])
    opener = Opener(CAMPAIGN, replace(KEYS, sealing=(secret,)))
    application_id = new_application_id()
    schedule = hpke_by_hand.schedule(
        xwing_vector.SHARED_SECRET, info(CAMPAIGN, secret.key_id, application_id), kem=hpke_by_hand.X_WING
    )
    message = xwing_vector.CIPHERTEXT + schedule.seal(PLAINTEXT)
    assert opener.open_application(b64url(message), secret.key_id, application_id) == PLAINTEXT


@given(st.binary(max_size=2000))
@settings(max_examples=20)
def test_what_is_sealed_by_hand_opens(plaintext: bytes):
    application_id = new_application_id()
    message = hpke_by_hand.seal(KEYS.current.public_bytes(), info(CAMPAIGN, KEY_ID, application_id), plaintext)
    assert OPENER.open_application(b64url(message), KEY_ID, application_id) == plaintext


@given(st.binary(max_size=2000))
@settings(max_examples=20)
def test_what_a_client_seals_opens(plaintext: bytes):
    application_id = new_application_id()
    assert OPENER.open_application(sealed(application_id, plaintext), KEY_ID, application_id) == plaintext


def test_the_info_is_the_one_of_the_protocol():
    application_id = ApplicationId("00000000-0000-4000-8000-000000000000")
    expected = b"kuji/application/1\x00777-days\x00k1\x0000000000-0000-4000-8000-000000000000"
    assert info(CAMPAIGN, KeyId("k1"), application_id) == expected


def test_it_does_not_open_for_another_application():
    text = sealed(new_application_id())
    with pytest.raises(NotOpenedError):
        OPENER.open_application(text, KEY_ID, new_application_id())


def test_it_does_not_open_in_another_campaign_that_has_the_same_keys():
    application_id = new_application_id()
    with pytest.raises(NotOpenedError):
        Opener(CampaignId("other"), KEYS).open_application(sealed(application_id), KEY_ID, application_id)


def test_it_does_not_open_under_the_name_of_another_key():
    application_id = new_application_id()
    renamed = replace(KEYS, sealing=(replace(KEYS.current, key_id=KeyId("renamed")),))
    with pytest.raises(NotOpenedError):
        Opener(CAMPAIGN, renamed).open_application(sealed(application_id), KeyId("renamed"), application_id)


def test_it_does_not_open_with_another_key():
    application_id = new_application_id()
    other = replace(SealingSecret.generate(CAMPAIGN, NOT_AFTER), key_id=KEY_ID)
    with pytest.raises(NotOpenedError):
        Opener(CAMPAIGN, replace(KEYS, sealing=(other,))).open_application(
            sealed(application_id), KEY_ID, application_id
        )


def test_a_key_that_the_campaign_does_not_have_opens_nothing():
    application_id = new_application_id()
    with pytest.raises(NotOpenedError):
        OPENER.open_application(sealed(application_id), KeyId("nobody"), application_id)


def test_all_keys_of_a_campaign_open_what_was_sealed_for_them():
    older, application_id = SealingSecret.generate(CAMPAIGN, NOT_AFTER), new_application_id()
    both = Opener(CAMPAIGN, replace(KEYS, sealing=(older, KEYS.current)))
    message = hpke_by_hand.seal(older.public_bytes(), info(CAMPAIGN, older.key_id, application_id), PLAINTEXT)
    assert both.open_application(b64url(message), older.key_id, application_id) == PLAINTEXT
    assert both.open_application(sealed(application_id), KEY_ID, application_id) == PLAINTEXT


@given(st.data())
@settings(max_examples=30)
def test_one_changed_bit_anywhere_and_it_does_not_open(data: st.DataObject):
    application_id = new_application_id()
    message = bytearray(unb64url(sealed(application_id)))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotOpenedError):
        OPENER.open_application(b64url(bytes(message)), KEY_ID, application_id)


@pytest.mark.parametrize("size", [0, 1, 32, 1119, 1120, 1121, 1135, 1136, 5000])
def test_bytes_of_any_length_are_refused_in_the_same_way(size: int):
    with pytest.raises(NotOpenedError):
        OPENER.open_application(b64url(bytes(size)), KEY_ID, new_application_id())


@pytest.mark.parametrize("text", ["=", "髙", "a", "AB==", "++++"])
def test_text_that_is_not_base64url_is_refused_in_the_same_way(text: str):
    with pytest.raises(NotOpenedError):
        OPENER.open_application(text, KEY_ID, new_application_id())


def test_a_client_refuses_a_key_that_the_vault_did_not_sign():
    document = key_document(CAMPAIGN, KEYS.current, SigningKey.generate())
    with pytest.raises(KeyRefusedError):
        SealingKey.from_document(document, campaign=CAMPAIGN, trusted=SigningKey.generate().public)


def test_the_key_document_says_until_when_the_key_is_good_and_nothing_private():
    document = key_document(CAMPAIGN, KEYS.current, SigningKey.generate())
    assert set(document) == {"v", "campaign", "key_id", "suite", "public_key", "not_after", "signature"}
    assert datetime.fromisoformat(document["not_after"]) == NOT_AFTER
    assert len(unb64url(document["public_key"])) == 1216
