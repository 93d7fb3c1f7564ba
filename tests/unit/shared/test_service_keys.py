"""Service keys: documents and events signed by one service, verified by all others, rotated without a stop."""

import hashlib
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.local.service_keys import KeyFolders
from shared.canonical import canonical
from shared.contracts import SERVICES
from shared.encoding import unb64url
from shared.errors import ConfigurationError
from shared.ids import new_event_id
from shared.service_keys import PUBLIC_KEYS, PublicKeys, ServiceKey

DOCUMENT = {"v": 2, "campaign": "777-days", "phase": "erased", "stores": [{"store": "inbox", "after": 0}]}
CONTEXT = "kuji/erasure-answer/2"


@pytest.fixture
def folders(tmp_path: Path) -> KeyFolders:
    made = KeyFolders.below(tmp_path, SERVICES)
    made.make()
    return made


def private(folders: KeyFolders, service: str) -> ServiceKey:
    return ServiceKey(folders.folders[service], service)


def public(folders: KeyFolders, reader: str = "vault") -> PublicKeys:
    return PublicKeys(folders.folders[reader])


def a_second_passes(patch: pytest.MonkeyPatch) -> None:
    """Advance the clock by which key files are read again."""
    later = time.monotonic() + 1.0
    patch.setattr(time, "monotonic", lambda: later)


def test_each_service_holds_its_own_private_key_and_all_public_keys(folders: KeyFolders) -> None:
    for service, folder in folders.folders.items():
        signing = {"lottery-signing.key"} if service == "lottery" else set()
        assert {path.name for path in folder.iterdir()} == {f"{service}.key", PUBLIC_KEYS} | signing
        assert (folder / f"{service}.key").stat().st_mode & 0o777 == 0o600
    assert len({(folder / PUBLIC_KEYS).read_text() for folder in folders.folders.values()}) == 1
    assert len({private(folders, service).public for service in SERVICES}) == len(SERVICES)


def test_making_keys_again_keeps_those_that_exist(folders: KeyFolders) -> None:
    before = private(folders, "lottery").public
    folders.make()
    assert private(folders, "lottery").public == before
    assert len(folders.public_keys()) == len(SERVICES) + 1


def test_the_signature_covers_context_zero_and_canonical_json_without_itself(folders: KeyFolders) -> None:
    """Recompute the bytes of the protocol without the module under test."""
    key = private(folders, "intake")
    signed = key.sign_document(CONTEXT, DOCUMENT)

    raw = unb64url(key.public)
    assert signed["key"] == hashlib.sha256(raw).hexdigest()[:16]
    message = CONTEXT.encode() + b"\0" + canonical(DOCUMENT | {"key": signed["key"]})
    Ed25519PublicKey.from_public_bytes(raw).verify(unb64url(signed["signature"]), message)


def test_a_document_is_valid_for_its_signer_and_context_only(folders: KeyFolders) -> None:
    signed = private(folders, "intake").sign_document(CONTEXT, DOCUMENT)
    keys = public(folders)

    assert keys.verify_document(CONTEXT, signed, "intake")
    assert not keys.verify_document(CONTEXT, signed, "lottery")
    assert not keys.verify_document("kuji/receipt/2", signed, "intake")
    assert not keys.verify_document(CONTEXT, signed | {"v": 3}, "intake")
    assert not keys.verify_document(CONTEXT, signed | {"key": "0" * 16}, "intake")
    assert not keys.verify_document(CONTEXT, {**DOCUMENT, "key": signed["key"]}, "intake")
    assert not keys.verify_document(CONTEXT, signed | {"signature": 7}, "intake")
    assert not keys.verify_document(CONTEXT, signed | {"more": float("nan")}, "intake")


def test_an_event_signature_covers_name_id_publisher_and_body(folders: KeyFolders) -> None:
    key, event_id = private(folders, "vault"), new_event_id()
    signed = key.sign_event("application.accepted", event_id, b"{}")

    digest = hashlib.sha256(b"{}").digest()
    message = f"kuji/event/2\0application.accepted\0{event_id}\0vault\0".encode() + digest
    Ed25519PublicKey.from_public_bytes(unb64url(key.public)).verify(unb64url(signed.signature), message)
    keys = public(folders, "lottery")
    assert keys.verify_event(signed, "application.accepted", event_id, b"{}")
    assert not keys.verify_event(signed, "application.rejected", event_id, b"{}")
    assert not keys.verify_event(signed, "application.accepted", new_event_id(), b"{}")
    assert not keys.verify_event(signed, "application.accepted", event_id, b"{ }")


def test_a_rotated_key_is_used_at_once_and_the_old_signatures_stay_valid(
    folders: KeyFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither signer nor verifier is made anew: both follow the files."""
    key, keys = private(folders, "intake"), public(folders)
    old = key.sign_document(CONTEXT, DOCUMENT)
    a_second_passes(monkeypatch)

    added = folders.rotate("intake")
    new = key.sign_document(CONTEXT, DOCUMENT)

    assert new["key"] == added.key != old["key"]
    assert keys.verify_document(CONTEXT, new, "intake")
    assert keys.verify_document(CONTEXT, old, "intake")
    assert {entry.state for entry in folders.public_keys() if entry.service == "intake"} == {"active", "verify"}


def test_a_revoked_key_is_refused_within_a_second(folders: KeyFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = public(folders)
    stolen = private(folders, "intake").sign_document(CONTEXT, DOCUMENT)
    folders.rotate("intake")
    assert keys.verify_document(CONTEXT, stolen, "intake")

    folders.revoke(stolen["key"])
    a_second_passes(monkeypatch)

    assert not keys.verify_document(CONTEXT, stolen, "intake")


def test_revoking_an_unknown_key_says_so(folders: KeyFolders) -> None:
    with pytest.raises(ConfigurationError, match="list them"):
        folders.revoke("0" * 16)


@pytest.mark.parametrize("content", ["", "{}", '{"keys": [{"service": "intake"}]}', "no json"])
def test_malformed_public_keys_stop_the_service_with_a_reason(folders: KeyFolders, content: str) -> None:
    (folders.folders["vault"] / PUBLIC_KEYS).write_text(content)
    with pytest.raises(ConfigurationError, match=PUBLIC_KEYS):
        public(folders)


def test_an_absent_private_key_stops_the_service_without_showing_paths(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="KUJI_SERVICE_KEYS_DIR") as raised:
        ServiceKey(tmp_path, "vault")
    assert str(tmp_path) not in str(raised.value)
