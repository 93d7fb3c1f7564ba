"""Slips are valid by the lottery's signing key only, which the vault knows from set-up."""

import time
from pathlib import Path

import pytest

from deploy.local.service_keys import KeyFolders
from shared.contracts import SERVICES
from shared.contracts.slips import SLIP_CONTEXT
from shared.ids import new_event_id
from shared.service_keys import PUBLIC_KEYS, EventSignature, PublicKeys, ServiceKey, event_bytes, read_private_key
from shared.slips import SlipKeys
from tests.support.service_keys import keys_dir
from tests.support.slips import make_slip, slip_document


@pytest.fixture
def folders(tmp_path: Path) -> KeyFolders:
    made = KeyFolders.below(tmp_path, SERVICES)
    made.make()
    return made


def test_a_slip_of_the_session_s_lottery_is_valid_as_parsed_json() -> None:
    assert SlipKeys(keys_dir()).verify(make_slip().to_document())


def test_each_change_of_a_slip_makes_it_invalid(folders: KeyFolders) -> None:
    key = read_private_key(folders.folders["lottery"], "lottery", "signing")
    keys, signed = SlipKeys(folders.folders["vault"]), key.sign_in_context(SLIP_CONTEXT, slip_document())

    assert keys.verify(signed)
    for member in slip_document():
        assert not keys.verify(signed | {member: "other"})
        assert not keys.verify({name: value for name, value in signed.items() if name != member})
    assert not keys.verify(signed | {"more": 1})
    assert not keys.verify(key.sign_in_context("kuji/receipt/2", slip_document()))
    assert not keys.verify({})


def test_a_service_key_signs_no_slip_and_the_signing_key_signs_no_event(folders: KeyFolders) -> None:
    folder, event_id = folders.folders["lottery"], new_event_id()
    by_service_key = ServiceKey(folder, "lottery").sign_document(SLIP_CONTEXT, slip_document())
    assert not SlipKeys(folders.folders["vault"]).verify(by_service_key)

    key = read_private_key(folder, "lottery", "signing")
    event = key.sign(event_bytes("results.published", event_id, "lottery", b"{}"))
    signature = EventSignature("lottery", key.name, event)
    assert not PublicKeys(folders.folders["vault"]).verify_event(signature, "results.published", event_id, b"{}")


@pytest.mark.parametrize("state", ["verify", "revoked"])
def test_a_retired_signing_key_stays_valid_and_a_revoked_one_is_refused(
    folders: KeyFolders, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    key = read_private_key(folders.folders["lottery"], "lottery", "signing")
    keys, signed = SlipKeys(folders.folders["vault"]), key.sign_in_context(SLIP_CONTEXT, slip_document())
    if state == "revoked":
        folders.revoke(key.name)
    else:
        path = folders.folders["vault"] / PUBLIC_KEYS
        path.write_text(path.read_text("utf-8").replace('"active"', '"verify"'), "utf-8")
    later = time.monotonic() + 1.0
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert keys.verify(signed) is (state == "verify")
