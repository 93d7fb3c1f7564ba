"""Passphrase and keys change while a vault process uses them; what was there before still opens."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services.vault.keys import rotation
from services.vault.keys.__main__ import main
from services.vault.keys.access import RootAccess
from services.vault.keys.campaign_keys import bound_to_campaign
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.keys.root_file import RootFile
from services.vault.keys.roots import FileRoot, Root
from services.vault.keys.signing_keys import SigningKeys
from shared.errors import ConfigurationError
from shared.ids import CampaignId
from shared.signing import key_name, verify, verify_in_context
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER

OLD, NEW = "correct horse battery staple", "Tr0ub4dor and three more words"
OTHER = CampaignId("other")
BOUND_TO = {"signing.json": "kuji/signing/1", "bounce.json": "kuji/bounce-key/1", "staff.json": "kuji/staff-key/1"}


@pytest.fixture
def passphrase(tmp_path: Path) -> Callable[[], str]:
    """Return the reader of the passphrase's file, which a running vault asks."""
    (tmp_path / "passphrase").write_text(OLD)
    return (tmp_path / "passphrase").read_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def running(folder: Path, passphrase: Callable[[], str]) -> Keystore:
    """Return the keystore of a process that runs during the whole test."""
    keystore = Keystore.open(folder, passphrase)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    keystore.staff_key()
    return keystore


@pytest.mark.parametrize("weak", ["", "short", "nineteen characters", "a" * 40, "abcabcabcabcabcabcabcabc"])
def test_a_passphrase_that_can_be_guessed_makes_no_keys_and_replaces_none(folder: Path, weak: str):
    with pytest.raises(ConfigurationError, match="too weak") as refusal:
        Keystore.open(folder, weak)
    assert not weak or weak not in str(refusal.value)
    Keystore.open(folder, OLD)
    with pytest.raises(ConfigurationError, match="too weak"):
        rotation.change_passphrase(folder, OLD, weak)
    Keystore.open(folder, OLD)


def test_after_a_change_only_the_new_passphrase_opens_and_the_running_vault_goes_on(folder: Path, running: Keystore):
    keys = running.campaign(CAMPAIGN)
    rotation.change_passphrase(folder, OLD, NEW)
    with pytest.raises(ConfigurationError):
        Keystore.open(folder, OLD)
    assert Keystore.open(folder, NEW).campaign(CAMPAIGN) == keys == running.campaign(CAMPAIGN)
    assert running.ensure_campaign(OTHER, NOT_AFTER) == Keystore.open(folder, NEW).campaign(OTHER)


def test_a_wrong_passphrase_changes_nothing(folder: Path, running: Keystore):
    assert running.campaign(CAMPAIGN)
    before = (folder / "root.json").read_bytes()
    for attempt in (
        lambda: rotation.change_passphrase(folder, NEW, "another one of good length"),
        lambda: rotation.rotate_root(folder, NEW),
        lambda: rotation.rotate_sealing(folder, NEW, CAMPAIGN),
        lambda: rotation.activate_signing_key(folder, NEW),
    ):
        with pytest.raises(ConfigurationError, match="does not open"):
            attempt()
    assert (folder / "root.json").read_bytes() == before


def test_a_new_root_key_seals_every_file_and_no_file_opens_by_the_former_one(folder: Path, running: Keystore):
    file = RootFile(folder, RootAccess.of(OLD))
    (former,) = file.open()
    keys, public, staff, bounce = (
        running.campaign(CAMPAIGN),
        running.signing.public,
        running.staff_key(),
        running.bounce_key,
    )
    assert rotation.rotate_root(folder, OLD) == 4
    (root,) = file.open()
    assert root != former
    files = [folder / "campaigns" / f"{CAMPAIGN}.json", *(folder / name for name in BOUND_TO)]
    assert [(does_open(path, root), does_open(path, former)) for path in files] == [(True, False)] * 4
    for keystore in (running, Keystore.open(folder, OLD)):
        assert keystore.campaign(CAMPAIGN) == keys
        assert keystore.staff_key() == staff
        assert (keystore.signing.public, keystore.bounce_key) == (public, bounce)
        assert verify(public, b"x", keystore.signing.sign(b"x"))


def does_open(path: Path, root: Root) -> bool:
    """Return True if the root key opens the file."""
    try:
        root.open(json.loads(path.read_bytes()), BOUND_TO.get(path.name, bound_to_campaign(CAMPAIGN)))
    except NotDecryptableError:
        return False
    return True


def test_a_running_vault_that_makes_keys_after_a_rotation_seals_them_by_the_new_root_key(
    folder: Path, running: Keystore
):
    rotation.rotate_root(folder, OLD)
    made = running.ensure_campaign(OTHER, NOT_AFTER)
    assert Keystore.open(folder, OLD).campaign(OTHER) == made


def test_a_rotation_that_was_killed_in_the_middle_opens_everything_and_is_repeated(folder: Path, running: Keystore):
    file = RootFile(folder, RootAccess.of(OLD))
    keys = running.campaign(CAMPAIGN)
    file.write((FileRoot(b"\x01" * 32), *file.open()))
    assert Keystore.open(folder, OLD).campaign(CAMPAIGN) == keys
    rotation.rotate_root(folder, OLD)
    assert len(file.open()) == 1
    assert Keystore.open(folder, OLD).campaign(CAMPAIGN) == keys == running.campaign(CAMPAIGN)


def test_a_destroyed_campaign_does_not_come_back_by_a_rotation(folder: Path, running: Keystore):
    running.destroy_campaign_key(CAMPAIGN)
    rotation.rotate_root(folder, OLD)
    with pytest.raises(ConfigurationError):
        rotation.rotate_sealing(folder, OLD, CAMPAIGN)
    assert not (folder / "campaigns" / f"{CAMPAIGN}.json").exists()
    with pytest.raises(KeyDestroyedError):
        Keystore.open(folder, OLD).campaign(CAMPAIGN)


def test_a_rotation_passes_over_what_a_killed_erasure_left_of_a_campaign(folder: Path, running: Keystore):
    other = running.ensure_campaign(OTHER, NOT_AFTER)
    path = folder / "campaigns" / f"{CAMPAIGN}.json"
    for left_over in (b"\xff\xfe\x9d" * 100, path.read_bytes()):
        fingerprint = running.destroy_campaign_key(CAMPAIGN)
        path.write_bytes(left_over)
        assert rotation.rotate_root(folder, OLD) == 4
        assert path.read_bytes() == left_over, "it is not sealed for another time"
        with pytest.raises(ConfigurationError, match="no keys here"):
            rotation.rotate_sealing(folder, OLD, CAMPAIGN)
        assert Keystore.open(folder, OLD).campaign(OTHER) == other
        assert running.destroy_campaign_key(CAMPAIGN) == fingerprint
        assert not path.exists()


def test_a_new_sealing_key_is_used_at_once_and_the_former_one_still_opens(folder: Path, running: Keystore):
    before = running.campaign(CAMPAIGN)
    name = rotation.rotate_sealing(folder, OLD, CAMPAIGN)
    after = running.campaign(CAMPAIGN)
    assert after.current.key_id == name != before.current.key_id
    assert after.sealing_secret(before.current.key_id) == before.current
    assert after.current.not_after > before.current.not_after, "intake hands out the key with the latest end"
    assert (after.wrapping, after.fingerprint) == (before.wrapping, before.fingerprint)


def test_a_new_signing_key_signs_in_every_part_and_the_former_ones_signatures_stay_valid(
    folder: Path, running: Keystore
):
    held, old = running.signing, running.signing.public
    signed = held.sign_in_context("kuji/approval/1", {"v": 1})
    with pytest.raises(ConfigurationError, match="prepared"):
        rotation.activate_signing_key(folder, OLD)
    new = rotation.prepare_signing_key(folder, OLD)
    assert new == rotation.prepare_signing_key(folder, OLD)
    assert held.public == old, "nothing changes before it is pinned and activated"
    assert rotation.activate_signing_key(folder, OLD) == new
    assert held.public == new != old
    assert verify_in_context(new, "kuji/approval/1", held.sign_in_context("kuji/approval/1", {"v": 1}))
    assert verify_in_context(old, "kuji/approval/1", signed)
    assert held.verifying == (new, old)


def test_a_revoked_signing_key_verifies_nothing_any_more(folder: Path, running: Keystore):
    old = running.signing.public
    with pytest.raises(ConfigurationError, match="earlier"):
        SigningKeys(folder).revoke(key_name(old))
    rotation.prepare_signing_key(folder, OLD)
    new = rotation.activate_signing_key(folder, OLD)
    SigningKeys(folder).revoke(key_name(old))
    assert running.signing.verifying == (new,)


def test_the_command_changes_the_passphrases_file_too_and_prints_no_secret(
    folder: Path, running: Keystore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = folder.parent / "passphrase"
    place = ["--folder", str(folder), "--passphrase-file", str(file)]
    monkeypatch.setattr("sys.stdin", io.StringIO(NEW + "\n"))
    main([*place, "passphrase"])
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o600
    for command in (["rotate-root"], ["rotate-sealing", CAMPAIGN], ["prepare-signing"], ["activate-signing"], ["list"]):
        main([*place, *command])
    shown = capsys.readouterr().out
    assert "active" in shown
    assert "verify" in shown
    keys = running.campaign(CAMPAIGN)
    assert NEW not in shown
    assert running.signing.to_bytes().hex() not in shown
    assert len(keys.sealing) == 2
    with pytest.raises(SystemExit, match="no keys here"):
        main([*place, "rotate-sealing", "unknown"])
