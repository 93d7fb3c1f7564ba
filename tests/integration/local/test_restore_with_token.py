"""Restore drill of an office whose root key lies in a token: what the token destroyed opens in no copy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.cli import backup as commands
from deploy.cli.backup import backup, restore
from services.vault.identities.repository import COLLECTION as IDENTITIES
from services.vault.identities.repository import StoredIdentity
from services.vault.identities.repository import collections as identity_collections
from services.vault.keys import rotation
from services.vault.keys.ciphers.envelope import NotDecryptableError
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.errors import ConfigurationError
from tests.support.databases import own_database
from tests.support.identity_builders import CAMPAIGN
from tests.support.office_with_copies import OTHER, PASSPHRASE, Office
from tests.support.soft_token import SoftToken

# A keystore of the same process that logs in anew ends the searches of the others; the library says so in `__del__`.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
async def office(
    mongo_url: str, namespace: str, tmp_path: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    monkeypatch.setattr(commands, "DATABASES", (f"{namespace}_vault",))
    async with own_database(mongo_url, f"{namespace}_vault") as store:
        await store.ensure(identity_collections())
        office = Office(store, tmp_path, mongo_url, token.access())
        for campaign in (CAMPAIGN, OTHER):
            await office.add_person(campaign)
        yield office


async def restored(office: Office) -> None:
    """Bring back databases and key folder as of the copies, and say that nothing was erased since."""
    await office.store.db.client.drop_database(office.store.db.name)
    office.keys = office.folder / "new-keys"
    office.run(restore, "keys", str(office.copy), "--none-erased")
    office.run(restore, "data", str(office.data))
    assert await office.store.db[IDENTITIES].count_documents({}) == 2, "the people of both campaigns are in the copy"


async def test_people_of_an_erased_campaign_open_in_no_backup_though_nobody_said_that_it_was_erased(
    office: Office, token: SoftToken
):
    office.run(backup, "data", str(office.data))
    office.run(backup, "keys", str(office.copy), "--days", "30")
    assert office.keystore.copies_until() is None, "a certificate need not wait for the end of this copy"
    office.keystore.destroy_campaign_key(CAMPAIGN)

    await restored(office)
    keystore = Keystore.open(office.keys, token.access())
    with pytest.raises(KeyDestroyedError):
        keystore.campaign(CAMPAIGN)
    assert keystore.campaign(OTHER) == office.keystore.campaign(OTHER)
    found = await office.store.db[IDENTITIES].find_one({"campaign": CAMPAIGN})
    assert found is not None
    other = keystore.campaign(OTHER)
    with pytest.raises(NotDecryptableError):
        StoredIdentity.from_document(found).decrypt(other)


async def test_after_a_new_root_key_a_backup_opens_nothing_at_all(office: Office, token: SoftToken):
    office.run(backup, "data", str(office.data))
    office.run(backup, "keys", str(office.copy), "--days", "30")
    rotation.rotate_root(office.keys, token.access())
    await restored(office)
    for access in (token.access(), token.access(PASSPHRASE)):
        with pytest.raises(ConfigurationError, match="no root key of this key folder: it was destroyed"):
            Keystore.open(office.keys, access)


async def test_copies_from_before_the_token_are_waited_for(office: Office, token: SoftToken):
    keys = office.folder / "keys-of-before"
    running = Keystore.open(keys, PASSPHRASE)
    office.keys = keys
    office.run(backup, "keys", str(office.copy), "--days", "30")
    rotation.rotate_root(keys, token.access(PASSPHRASE), into_token=True)
    office.run(backup, "keys", str(office.copy.with_name("keys-2")), "--days", "90")
    first, _ = (keys / "copies.jsonl").read_text().splitlines()
    until = running.copies_until()
    assert until is not None
    assert until.isoformat() in first
