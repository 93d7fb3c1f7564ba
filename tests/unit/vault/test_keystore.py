"""Keys on disk: made once, opened by the right passphrase only, destroyed for good."""

import concurrent.futures
import gc
import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from services.vault.keys.errors import VaultLockedError
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.errors import ConfigurationError
from shared.ids import CampaignId
from shared.signing import SigningKey, verify
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER

OTHER = CampaignId("other")
PASSPHRASE = "正しい 馬 電池 と ホチキス で 留めた 鍵"


def opened(folder: Path) -> Keystore:
    return Keystore.open(folder, PASSPHRASE)


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_a_second_start_finds_the_same_keys(tmp_path: Path):
    first = opened(tmp_path)
    made = first.ensure_campaign(CAMPAIGN, NOT_AFTER)
    second = opened(tmp_path)
    assert second.campaign(CAMPAIGN) == made
    assert second.signing.public == first.signing.public
    assert second.ensure_campaign(CAMPAIGN, NOT_AFTER) == made


def test_campaigns_have_keys_of_their_own(tmp_path: Path):
    keystore = opened(tmp_path)
    one, other = (keystore.ensure_campaign(each, NOT_AFTER) for each in (CAMPAIGN, OTHER))
    assert len({one.wrapping, one.index, one.subject, other.wrapping, other.index, other.subject}) == 6
    assert one.fingerprint != other.fingerprint


def test_a_wrong_passphrase_opens_nothing_and_says_what_to_do(tmp_path: Path):
    opened(tmp_path).ensure_campaign(CAMPAIGN, NOT_AFTER)
    with pytest.raises(ConfigurationError, match="passphrase") as refusal:
        Keystore.open(tmp_path, "wrong")
    assert "wrong" not in str(refusal.value)


def test_an_empty_passphrase_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError):
        Keystore.open(tmp_path, "")


def test_no_key_stands_in_a_file_in_the_clear(tmp_path: Path):
    keystore = opened(tmp_path)
    keys = keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    text = everything(tmp_path)
    for secret in (keys.wrapping, keys.index, keys.subject, keys.current.x25519, keystore.signing.to_bytes()):
        assert secret not in text
        assert secret.hex().encode() not in text


def test_files_are_for_their_owner_only(tmp_path: Path):
    opened(tmp_path / "keys").ensure_campaign(CAMPAIGN, NOT_AFTER)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").rglob("*") if file.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "keys" / "campaigns").stat().st_mode) == 0o700


def test_a_campaign_without_keys_is_unknown(tmp_path: Path):
    with pytest.raises(KeyError):
        opened(tmp_path).campaign(CAMPAIGN)


def test_a_file_put_under_another_campaign_does_not_open(tmp_path: Path):
    opened(tmp_path).ensure_campaign(CAMPAIGN, NOT_AFTER)
    folder = tmp_path / "campaigns"
    (folder / f"{OTHER}.json").write_bytes((folder / f"{CAMPAIGN}.json").read_bytes())
    with pytest.raises(Exception, match="does not open"):
        opened(tmp_path).campaign(OTHER)


def test_after_destruction_nothing_opens_and_nothing_is_made_again(tmp_path: Path):
    keystore = opened(tmp_path)
    fingerprint = keystore.ensure_campaign(CAMPAIGN, NOT_AFTER).fingerprint
    kept = json.loads((tmp_path / "campaigns" / f"{CAMPAIGN}.json").read_text("utf-8"))["wrapped"]
    assert keystore.destroy_campaign_key(CAMPAIGN) == fingerprint
    assert kept.encode() not in everything(tmp_path)
    for each in (keystore, opened(tmp_path)):
        with pytest.raises(KeyDestroyedError):
            each.campaign(CAMPAIGN)
        with pytest.raises(KeyDestroyedError):
            each.ensure_campaign(CAMPAIGN, NOT_AFTER)


def test_destroying_again_says_the_same_fingerprint(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    assert (
        keystore.destroy_campaign_key(CAMPAIGN)
        == keystore.destroy_campaign_key(CAMPAIGN)
        == opened(tmp_path).destroy_campaign_key(CAMPAIGN)
    )


def test_other_campaigns_live_on(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    other = keystore.ensure_campaign(OTHER, NOT_AFTER)
    keystore.destroy_campaign_key(CAMPAIGN)
    assert keystore.campaign(OTHER) == other


def test_another_instance_notices_a_destruction_at_its_next_look(tmp_path: Path):
    here, there = opened(tmp_path), opened(tmp_path)
    here.ensure_campaign(CAMPAIGN, NOT_AFTER)
    there.campaign(CAMPAIGN)
    here.destroy_campaign_key(CAMPAIGN)
    with pytest.raises(KeyDestroyedError):
        there.campaign(CAMPAIGN)


def test_a_tombstone_counts_even_if_its_writer_died_before_the_key_file_was_gone(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    key_file = tmp_path / "campaigns" / f"{CAMPAIGN}.json"
    kept = key_file.read_bytes()
    fingerprint = keystore.destroy_campaign_key(CAMPAIGN)
    key_file.write_bytes(kept)
    with pytest.raises(KeyDestroyedError):
        keystore.campaign(CAMPAIGN)
    assert keystore.destroy_campaign_key(CAMPAIGN) == fingerprint
    assert not key_file.exists()


def test_an_erasure_that_was_killed_after_it_overwrote_the_file_is_repeated(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    key_file = tmp_path / "campaigns" / f"{CAMPAIGN}.json"
    fingerprint = keystore.destroy_campaign_key(CAMPAIGN)
    for left_over in (b"\xff\xfe\x9d" * 100, b"{" * 100):
        key_file.write_bytes(left_over)
        assert keystore.destroy_campaign_key(CAMPAIGN) == fingerprint
        assert not key_file.exists()


def test_a_locked_vault_opens_nothing(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    keystore.lock()
    assert keystore.locked
    with pytest.raises(VaultLockedError):
        keystore.campaign(CAMPAIGN)


def test_sealing_the_vault_reaches_every_instance_until_it_is_started_again(tmp_path: Path):
    here, there = opened(tmp_path), opened(tmp_path)
    keys = here.ensure_campaign(CAMPAIGN, NOT_AFTER)
    there.campaign(CAMPAIGN)
    here.lock()
    with pytest.raises(VaultLockedError):
        there.campaign(CAMPAIGN)
    assert there.locked
    assert opened(tmp_path).campaign(CAMPAIGN) == keys
    assert there.locked


def test_after_a_sealing_nothing_is_signed_by_any_part_that_holds_the_key(tmp_path: Path):
    here, there = opened(tmp_path), opened(tmp_path)
    held, name = there.signing, there.signing.name
    signature = held.sign(b"before")
    here.lock()
    for attempt in (
        lambda: held.sign(b"after"),
        lambda: held.sign_document({"v": 1}),
        lambda: held.sign_in_context("kuji/approval/1", {"v": 1}),
        held.to_bytes,
    ):
        with pytest.raises(VaultLockedError):
            attempt()
    assert held.name == name, "what was signed before can still be verified"
    assert verify(held.public, b"before", signature)
    assert opened(tmp_path).signing.public == held.public


def test_no_object_of_a_sealed_keystore_holds_the_signing_key(tmp_path: Path):
    keystore = opened(tmp_path)
    keystore.signing.sign(b"before")
    keystore.lock()
    found = [one for one in gc.get_objects() if type(one) is SigningKey and one.public == keystore.signing.public]
    assert found == []


def _start(folder: Path) -> tuple[str, str, str]:
    keystore = opened(folder)
    keys = keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    return keystore.signing.public, keys.fingerprint, keys.current.key_id


def test_processes_that_start_for_the_first_time_at_once_share_one_set_of_keys(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(4, mp_context=context) as pool:
        found = set(pool.map(_start, [tmp_path] * 8))
    assert len(found) == 1
    assert not [file for file in tmp_path.rglob(".*") if file.is_file()]


def test_a_keystore_shows_no_key(tmp_path: Path):
    keystore = opened(tmp_path)
    keys = keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    assert repr(keystore) == "Keystore(…)"
    for secret in (keys.wrapping, keys.index, keys.subject, keys.current.mlkem_seed, keys.current.x25519):
        assert repr(secret) not in repr(keys)
