"""A process that keeps the lock of the key folder stops others for a while only, and never the vault's event loop."""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from services.vault.audit import AuditLog
from services.vault.keys import rotation
from services.vault.keys.__main__ import main
from services.vault.keys.erased_people import ErasedPerson, add_erased_person
from services.vault.keys.folder_lock import FolderBusyError, folder_lock
from services.vault.keys.keystore import Keystore
from services.vault.keys.publish import SealingKeyPublisher
from shared.campaign import load_campaign
from shared.clock import SystemClock
from shared.errors import ConfigurationError
from shared.ids import Receipt
from shared.storage import Store
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock alone, as another process does: by an open file of its own."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def test_the_wait_for_the_lock_ends_with_what_to_do(folder: Path):
    keystore = Keystore.open(folder, PASSPHRASE, lock_wait_s=0.2)
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    person = ErasedPerson(CAMPAIGN, "e-1", Receipt("W-7K3M-9Q2P-6"))
    with held(folder):
        for attempt in (
            keystore.staff_key,
            lambda: keystore.destroy_campaign_key(CAMPAIGN),
            lambda: add_erased_person(folder, person, 0.2),
        ):
            began = time.monotonic()
            with pytest.raises(FolderBusyError, match=r"for 0\.2 s; let \./kuji vault-keys .* end"):
                attempt()
            assert 0.2 <= time.monotonic() - began < 5
    keystore.destroy_campaign_key(CAMPAIGN)
    assert not (folder / "campaigns" / f"{CAMPAIGN}.json").exists(), "repeated, it goes on where it was stopped"


def test_whoever_waits_gets_the_lock_as_soon_as_it_is_free(folder: Path):
    Keystore.open(folder, PASSPHRASE)
    with folder_lock(folder), folder_lock(folder, wait_s=0):
        pass
    with held(folder), pytest.raises(FolderBusyError), folder_lock(folder, wait_s=0):
        pass
    with folder_lock(folder, alone=True, wait_s=0):
        pass


def test_a_start_and_the_key_program_say_it_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch):
    Keystore.open(folder, PASSPHRASE)
    (folder / "bounce.json").unlink()
    monkeypatch.setattr(rotation, "folder_lock", partial(folder_lock, wait_s=0.1))
    passphrase = folder.with_name("passphrase")
    passphrase.write_text(PASSPHRASE)
    with held(folder):
        with pytest.raises(ConfigurationError, match="held the lock of the key folder"):
            Keystore.open(folder, PASSPHRASE, lock_wait_s=0.1)
        with pytest.raises(SystemExit, match="held the lock of the key folder"):
            main(["--folder", str(folder), "--passphrase-file", str(passphrase), "rotate-root"])


async def test_the_event_loop_goes_on_while_new_keys_wait_for_the_lock(folder: Path):
    """Count what else runs during half a second in which another process has the folder."""
    campaign = load_campaign(Path("deploy/campaigns/777-days.yaml"))
    keystore = Keystore.open(folder, PASSPHRASE, lock_wait_s=0.5)
    async with Store.open("mongodb://127.0.0.1:9/", "unused") as store:
        audit = AuditLog(store, keystore.signing, SystemClock(), folder / "checkpoints")
        publisher = SealingKeyPublisher(store, keystore, audit, [campaign])
        with held(folder):
            publishing, turns = asyncio.create_task(publisher.publish_all()), 0
            while not publishing.done():
                await asyncio.sleep(0.01)
                turns += 1
        with pytest.raises(FolderBusyError):
            await publishing
    assert turns > 5
