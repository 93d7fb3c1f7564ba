"""Root key in a PKCS#11 token: it never leaves it, what it destroyed opens in no copy, and without it nothing opens."""

import concurrent.futures
import multiprocessing
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from pkcs11.constants import Attribute

from services.vault.keys import rotation
from services.vault.keys.__main__ import main
from services.vault.keys.access import RootAccess
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.errors import TokenAwayError, VaultLockedError
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.keys.root_file import RootFile
from services.vault.keys.roots import FileRoot
from shared.errors import ConfigurationError
from shared.ids import CampaignId
from shared.signing import verify
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.soft_token import PIN, SoftToken
from tests.support.waiting import until

# A keystore of the same process that logs in anew ends the searches of the others; the library says so in `__del__`.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PASSPHRASE = "correct horse battery staple"
OTHER = CampaignId("other")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def running(folder: Path, token: SoftToken) -> Keystore:
    """Return the keystore of a process that runs during the whole test."""
    keystore = Keystore.open(folder, token.access())
    for campaign in (CAMPAIGN, OTHER):
        keystore.ensure_campaign(campaign, NOT_AFTER)
    keystore.staff_key()
    return keystore


def copied(folder: Path) -> Path:
    """Return a copy of the key folder, as a backup or a thief has it."""
    return Path(shutil.copytree(folder, folder.with_name("copy")))


def test_a_second_start_finds_the_same_keys_and_no_key_can_be_taken_out(
    folder: Path, token: SoftToken, running: Keystore
):
    second = Keystore.open(folder, token.access())
    keys = running.campaign(CAMPAIGN)
    assert second.campaign(CAMPAIGN) == keys
    assert (second.staff_key(), second.bounce_key) == (running.staff_key(), running.bounce_key)
    assert verify(running.signing.public, b"x", second.signing.sign(b"x"))
    found = token.list_keys()
    assert len(found) == 3, "the root key, and one for each campaign"
    for key in found:
        assert (key[Attribute.EXTRACTABLE], key[Attribute.NEVER_EXTRACTABLE]) == (False, True)
        assert key[Attribute.SENSITIVE]
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for secret in (keys.wrapping, running.signing.to_bytes(), running.staff_key(), PIN.encode()):
        assert secret not in kept
        assert secret.hex().encode() not in kept


def test_the_folder_and_a_passphrase_open_nothing_without_the_token(folder: Path, running: Keystore):
    assert not running.locked
    for access in (PASSPHRASE, RootAccess()):
        with pytest.raises(ConfigurationError, match="KUJI_TOKEN_MODULE"):
            Keystore.open(folder, access)


def test_an_erased_campaign_opens_in_no_copy_of_the_folder_and_the_others_do(
    folder: Path, token: SoftToken, running: Keystore
):
    copy, other = copied(folder), running.campaign(OTHER)
    fingerprint = running.campaign(CAMPAIGN).fingerprint
    assert Keystore.open(copy, token.access()).campaign(CAMPAIGN).fingerprint == fingerprint
    assert running.destroy_campaign_key(CAMPAIGN) == running.destroy_campaign_key(CAMPAIGN) == fingerprint
    assert len(token.list_keys()) == 2
    restored = Keystore.open(copy, token.access())
    for keystore in (running, restored):
        for attempt in (keystore.campaign, lambda name, of=keystore: of.ensure_campaign(name, NOT_AFTER)):
            with pytest.raises(KeyDestroyedError):
                attempt(CAMPAIGN)
        assert keystore.campaign(OTHER) == other


async def test_an_erasure_waits_for_the_token_and_is_repeated(folder: Path, token: SoftToken, running: Keystore):
    fingerprint = running.campaign(CAMPAIGN).fingerprint
    path = folder / "campaigns" / f"{CAMPAIGN}.json"
    kept = path.read_bytes()
    token.pull_out()
    with pytest.raises(TokenAwayError):
        running.destroy_campaign_key(CAMPAIGN)  # within the second for which the last answer of the token holds, too
    assert path.read_bytes() == kept, "a lost token looks empty in a session of before; that destroys nothing"
    token.plug_in()
    assert len(token.list_keys()) == 3
    await until(running.ready)
    assert running.destroy_campaign_key(CAMPAIGN) == fingerprint
    assert len(token.list_keys()) == 2


def test_a_rotation_leaves_every_copy_of_before_shut_and_the_running_vault_goes_on(
    folder: Path, token: SoftToken, running: Keystore
):
    copy, keys, public = copied(folder), running.campaign(CAMPAIGN), running.signing.public
    before = {key[Attribute.ID] for key in token.list_keys()}
    assert rotation.rotate_root(folder, token.access()) == 5
    assert before.isdisjoint(key[Attribute.ID] for key in token.list_keys())
    assert len(token.list_keys()) == 3
    with pytest.raises(ConfigurationError, match="no root key of this key folder"):
        Keystore.open(copy, token.access())
    for keystore in (running, Keystore.open(folder, token.access())):
        assert keystore.campaign(CAMPAIGN) == keys
        assert (keystore.signing.public, keystore.locked) == (public, False)
    made = running.ensure_campaign(CampaignId("made-after"), NOT_AFTER)
    assert Keystore.open(folder, token.access()).campaign(CampaignId("made-after")) == made


async def test_the_root_key_moves_into_the_token_and_out_of_it_while_a_vault_runs(folder: Path, token: SoftToken):
    Keystore.open(folder, PASSPHRASE)
    running = Keystore.open(folder, token.access(PASSPHRASE))
    keys = running.ensure_campaign(CAMPAIGN, NOT_AFTER)
    assert await running.count_outside_token() == 1
    assert token.list_keys() == []

    rotation.rotate_root(folder, token.access(PASSPHRASE), into_token=True)
    assert running.campaign(CAMPAIGN) == keys
    assert await running.count_outside_token() == 0
    assert len(token.list_keys()) == 2
    assert Keystore.open(folder, token.access()).campaign(CAMPAIGN) == keys, "the passphrase is needed no more"
    with pytest.raises(ConfigurationError, match="PIN"):
        rotation.change_passphrase(folder, PASSPHRASE, "another passphrase of words")

    rotation.rotate_root(folder, token.access(PASSPHRASE), into_token=False)
    assert running.campaign(CAMPAIGN) == keys == Keystore.open(folder, PASSPHRASE).campaign(CAMPAIGN)
    assert running.ensure_campaign(OTHER, NOT_AFTER) == Keystore.open(folder, PASSPHRASE).campaign(OTHER)
    assert token.list_keys() == []


def test_a_vault_that_was_not_told_of_the_token_seals_nothing_by_the_former_root_key(folder: Path, token: SoftToken):
    running = Keystore.open(folder, PASSPHRASE)
    running.ensure_campaign(CAMPAIGN, NOT_AFTER)
    rotation.rotate_root(folder, token.access(PASSPHRASE), into_token=True)
    with pytest.raises(VaultLockedError, match=r"KUJI_TOKEN_MODULE.*restart"):
        running.ensure_campaign(OTHER, NOT_AFTER)
    with pytest.raises(VaultLockedError):
        running.campaign(CAMPAIGN)
    assert not (folder / "campaigns" / f"{OTHER}.json").exists()


@pytest.mark.parametrize("into_token", [True, False])
def test_a_move_that_was_killed_in_the_middle_opens_everything_and_is_repeated(
    folder: Path, token: SoftToken, *, into_token: bool
):
    access = token.access(PASSPHRASE)
    if into_token:
        Keystore.open(folder, PASSPHRASE)
    keystore = Keystore.open(folder, access)
    keys = keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    file = RootFile(folder, access)
    file.write((file.make(in_token=into_token), *file.open()))
    assert Keystore.open(folder, access).campaign(CAMPAIGN) == keys == keystore.campaign(CAMPAIGN)
    rotation.rotate_root(folder, access, into_token=into_token)
    assert len(file.open()) == 1
    assert Keystore.open(folder, access).campaign(CAMPAIGN) == keys == keystore.campaign(CAMPAIGN)
    assert isinstance(file.open()[0], FileRoot) is not into_token
    assert len(token.list_keys()) == (2 if into_token else 0)


def test_a_sealed_vault_needs_a_restart_with_its_token_too(folder: Path, token: SoftToken, running: Keystore):
    keys = running.campaign(CAMPAIGN)
    running.lock()
    with pytest.raises(VaultLockedError, match="locked"):
        running.campaign(CAMPAIGN)
    assert Keystore.open(folder, token.access()).campaign(CAMPAIGN) == keys


def test_installations_on_one_token_leave_each_other_alone(tmp_path: Path, token: SoftToken, running: Keystore):
    keys = running.campaign(CAMPAIGN)
    other = Keystore.open(tmp_path / "other-office", token.access())
    other.ensure_campaign(CAMPAIGN, NOT_AFTER)
    rotation.rotate_root(tmp_path / "other-office", token.access())
    other.destroy_campaign_key(CAMPAIGN)
    assert running.campaign(CAMPAIGN) == keys
    assert len(token.list_keys()) == 3 + 1


def test_processes_that_start_at_once_agree_and_leave_no_key_over(folder: Path, token: SoftToken):
    with concurrent.futures.ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(_start, [folder] * 4, [token] * 4))
    assert len(set(made)) == 1
    assert len(token.list_keys()) == 2


def test_whoever_is_second_to_make_a_campaigns_keys_leaves_no_key_over(
    folder: Path, token: SoftToken, running: Keystore, monkeypatch: pytest.MonkeyPatch
):
    first, name = Keystore.open(folder, token.access()), CampaignId("made-twice")
    generate = CampaignKeys.generate

    def generate_late(campaign: CampaignId, not_after: datetime) -> CampaignKeys:
        monkeypatch.setattr(CampaignKeys, "generate", generate)
        first.ensure_campaign(campaign, not_after)
        return generate(campaign, not_after)

    monkeypatch.setattr(CampaignKeys, "generate", generate_late)
    assert running.ensure_campaign(name, NOT_AFTER) == first.campaign(name)
    assert len(token.list_keys()) == 4


def _start(folder: Path, token: SoftToken) -> tuple[str, str]:
    keystore = Keystore.open(folder, token.access())
    return keystore.signing.public, keystore.ensure_campaign(CAMPAIGN, NOT_AFTER).fingerprint


def test_the_commands_do_with_a_token_what_they_do_with_a_passphrase(
    folder: Path, token: SoftToken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    keystore = Keystore.open(folder, PASSPHRASE)
    public = keystore.signing.public
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    both = ["--folder", str(folder), "--passphrase-file", str(tmp_path / "passphrase"), *token.options]
    main([*both, "move-into-token"])
    alone = ["--folder", str(folder), *token.options]
    for command in (["rotate-root"], ["rotate-sealing", CAMPAIGN], ["prepare-signing"], ["activate-signing"], ["list"]):
        main([*alone, *command])
    with pytest.raises(SystemExit, match="KUJI_PASSPHRASE_FILE"):
        main([*alone, "move-out-of-token"])
    assert len(token.list_keys()) == 2, "no key is left over by what was sealed anew"
    main([*both, "move-out-of-token"])
    assert Keystore.open(folder, PASSPHRASE).signing.verifying[1:] == (public,)
    written = "".join(capsys.readouterr())
    assert PIN not in written
    assert PASSPHRASE not in written
