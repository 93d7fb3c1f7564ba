"""Erasures beside a change of keys that was killed or came between: no key of the campaign stays in the token."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from services.vault.keys import keystore as keystore_module
from services.vault.keys import rotation
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from services.vault.keys.roots import KeyFile, TokenRoot
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.soft_token import SoftToken

# A keystore of the same process that logs in anew ends the searches of the others; the library says so in `__del__`.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PASSPHRASE = "correct horse battery staple"


class KilledError(Exception):
    """Raised where a process dies."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def rotate_and_die(folder: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the campaign a new sealing key, and die before the former key is destroyed in the token."""
    discard = TokenRoot.discard

    def die(root: TokenRoot, kept: KeyFile) -> None:
        if "key" in kept:
            raise KilledError
        discard(root, kept)

    with monkeypatch.context() as patched:
        patched.setattr(TokenRoot, "discard", die)
        with pytest.raises(KilledError):
            rotation.rotate_sealing(folder, token.access(), CAMPAIGN)


@pytest.mark.parametrize("killed", [1, 2])
def test_after_a_killed_rotation_an_erasure_destroys_the_former_key_too(
    folder: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch, killed: int
):
    running = Keystore.open(folder, token.access())
    running.ensure_campaign(CAMPAIGN, NOT_AFTER)
    copy = Path(shutil.copytree(folder, folder.with_name("copy")))
    for _ in range(killed):
        rotate_and_die(folder, token, monkeypatch)
    assert len(token.list_keys()) == 3, "the root key, the present key and the former one"
    running.destroy_campaign_key(CAMPAIGN)
    assert len(token.list_keys()) == 1
    with pytest.raises(KeyDestroyedError):
        Keystore.open(copy, token.access()).campaign(CAMPAIGN)


def test_an_erasure_destroys_the_key_in_a_token_to_which_another_process_moved_it_meanwhile(
    folder: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch
):
    Keystore.open(folder, PASSPHRASE)
    running = Keystore.open(folder, token.access(PASSPHRASE))
    running.ensure_campaign(CAMPAIGN, NOT_AFTER)
    create_once = keystore_module.create_once

    def move_first(path: Path, make: Callable[[], bytes]) -> bytes:
        rotation.rotate_root(folder, token.access(PASSPHRASE), into_token=True)
        return create_once(path, make)

    monkeypatch.setattr(keystore_module, "create_once", move_first)
    running.destroy_campaign_key(CAMPAIGN)
    assert len(token.list_keys()) == 1, "the root key"
