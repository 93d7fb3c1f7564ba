"""The vault opens what the form seals, and the form refuses a key document that the pinned key did not sign."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.opening import NotOpenedError, Opener, key_document
from shared.ids import ApplicationId, CampaignId, KeyId, new_application_id
from shared.signing import SigningKey
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.node_programs import Ask

KEYS = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
SIGNING = SigningKey.generate()
DOCUMENT = key_document(CAMPAIGN, KEYS.current, SIGNING)
CONTENT = {"v": 2, "name": "髙﨑 花子 𠮷"}


APPLICATION = new_application_id()


def sealed(ask: Ask, **changes: Any) -> dict[str, Any]:
    question = {
        "document": DOCUMENT,
        "campaign": CAMPAIGN,
        "pinned": SIGNING.public,
        "now": (NOT_AFTER - timedelta(days=1)).isoformat(),
        "application_id": APPLICATION,
        "version": 1,
        "content": CONTENT,
    }
    answer: dict[str, Any] = ask("seal", question | changes)
    return answer


def opened(body: dict[str, Any], application: str = APPLICATION, version: int = 1, campaign: str = CAMPAIGN) -> Any:
    opener = Opener(CampaignId(campaign), KEYS)
    return json.loads(
        opener.open_application(body["sealed"], KeyId(body["key_id"]), ApplicationId(application), version)
    )


@pytest.mark.parametrize("version", [1, 2, 17])
def test_the_vault_opens_each_version_in_its_place_only(ask: Ask, version: int):
    body = sealed(ask, version=version)
    assert opened(body, version=version) == CONTENT
    for other in {1, 2, 17} - {version}:
        with pytest.raises(NotOpenedError):
            opened(body, version=other)


def test_under_another_id_or_campaign_it_cannot_be_opened(ask: Ask):
    body = sealed(ask)
    with pytest.raises(NotOpenedError):
        opened(body, new_application_id())
    with pytest.raises(NotOpenedError):
        opened(body, campaign="other")


@pytest.mark.parametrize("member", sorted(DOCUMENT))
def test_a_document_that_was_changed_in_any_member_is_not_used(ask: Ask, member: str):
    changed = DOCUMENT | {member: "x" + str(DOCUMENT[member])[1:]}
    assert sealed(ask, document=changed) == {"refused": "signature"}


@pytest.mark.parametrize("document", [None, [], "key", {}, DOCUMENT | {"more": 1}, {**DOCUMENT, "v": True}])
def test_what_is_no_key_document_is_not_used(ask: Ask, document: object):
    assert sealed(ask, document=document) == {"refused": "signature"}


def test_a_document_with_another_signature_is_refused(ask: Ask):
    assert sealed(ask, pinned=SigningKey.generate().public) == {"refused": "signature"}


def test_while_the_signing_key_is_rotated_the_form_takes_either_of_the_pinned_ones(ask: Ask):
    other = SigningKey.generate().public
    for pinned in (f"{other} {SIGNING.public}", f"{SIGNING.public} {other}"):
        assert opened(sealed(ask, pinned=pinned)) == CONTENT
    assert sealed(ask, pinned=f"{other} {SigningKey.generate().public}") == {"refused": "signature"}


def test_a_page_without_a_pinned_key_seals_nothing(ask: Ask):
    assert sealed(ask, pinned="") == {"refused": "signature"}


def test_the_vaults_own_document_for_another_campaign_is_not_used(ask: Ask):
    other = key_document(CampaignId("other"), KEYS.current, SIGNING)
    assert sealed(ask, document=other) == {"refused": "campaign"}


def test_an_expired_key_is_not_used(ask: Ask):
    assert sealed(ask, now=NOT_AFTER.isoformat()) == {"refused": "expired"}


def test_a_suite_that_the_page_does_not_know_is_not_used(ask: Ask):
    unsigned = {name: value for name, value in DOCUMENT.items() if name != "signature"}
    other = SIGNING.sign_document(unsigned | {"suite": "DHKEM-P256/HKDF-SHA256/AES-128-GCM"})
    assert sealed(ask, document=other) == {"refused": "suite"}
