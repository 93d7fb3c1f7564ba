"""Restore drill: old copies of databases and key folder are brought back, and an erased campaign stays erased."""

import json
import os
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.backup import databases, key_folder
from deploy.cli import backup as commands
from deploy.cli.backup import backup, restore
from services.vault.identities.repository import COLLECTION as IDENTITIES
from services.vault.identities.repository import collections as identity_collections
from services.vault.keys.erased_people import ErasedPerson, add_erased_person, list_erased_people
from services.vault.keys.keystore import KeyDestroyedError, Keystore
from shared.errors import ConfigurationError
from tests.support.databases import own_database
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.office_with_copies import OTHER, PASSPHRASE, RECEIPT, Office

_RUN = CliRunner()


@pytest.fixture
async def office(
    mongo_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    name = f"{namespace}_vault"
    monkeypatch.setattr(commands, "DATABASES", (name,))
    async with own_database(mongo_url, name) as store:
        await store.ensure(identity_collections())
        office = Office(store, tmp_path, mongo_url)
        for campaign in (CAMPAIGN, OTHER):
            await office.add_person(campaign)
        yield office


async def test_a_restored_office_has_its_people_and_not_those_of_a_campaign_erased_since(office: Office):
    office.run(backup, "data", str(office.data))
    office.run(backup, "keys", str(office.copy), "--days", "30")
    fingerprint = office.keystore.destroy_campaign_key(CAMPAIGN)
    certificate = office.folder / "certificate.json"
    certificate.write_text(
        json.dumps({"campaign": CAMPAIGN, "method": {"key_destruction": {"fingerprint": fingerprint}}})
    )

    await office.store.db.client.drop_database(office.store.db.name)
    office.keys = office.folder / "new-keys"
    office.run(restore, "keys", str(office.copy), "--certificate", str(certificate))
    office.run(restore, "data", str(office.data))

    keystore = Keystore.open(office.keys, PASSPHRASE)
    with pytest.raises(KeyDestroyedError):
        keystore.campaign(CAMPAIGN)
    with pytest.raises(KeyDestroyedError):
        keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    await office.store.ensure(identity_collections())
    assert await office.store.db[IDENTITIES].count_documents({"campaign": CAMPAIGN}) == 0
    assert await office.store.tombstones.find(CAMPAIGN) is not None
    found = await office.store.db[IDENTITIES].find_one({"campaign": OTHER})
    assert found is not None
    assert keystore.campaign(OTHER) == office.keystore.campaign(OTHER)
    assert keystore.signing.public == office.keystore.signing.public


NAMING_THE_PERSON = {
    "notice_deliveries": {"tokens": ["of-the-person", "of-another"], "bulk": True},
    "papers": {"application_ids": ["of-the-person", "of-another"]},
    "subject_requests": {"receipt": RECEIPT},
    "roll": {"receipt": RECEIPT},
    "entries": {"receipt": RECEIPT},
    "applications": {"receipt": RECEIPT},
    "places": {"receipt": RECEIPT},
}
"""Records that name the person beside others, or that stay by design."""


async def test_a_person_erased_since_is_left_to_the_vault_and_named_in_the_key_folder(office: Office):
    """Delete nothing at the restore: each service erases by its own rules (test_person_erasure_again, erasure/)."""
    for name, members in NAMING_THE_PERSON.items():
        await office.store.db[name].insert_one({"_id": RECEIPT, "campaign": CAMPAIGN, **members})
    office.run(backup, "data", str(office.data))
    office.run(backup, "keys", str(office.copy), "--days", "30")
    known = ErasedPerson(CAMPAIGN, "person-1", RECEIPT, "r-1", "mori-01", "yamada-01")
    for _ in range(2):
        add_erased_person(office.keys, known)
    certificate = office.folder / "certificate.json"
    people = {"request": "r-1", "decided_by": "mori-01", "carried_out_by": "yamada-01"}
    certificate.write_text(
        json.dumps({"kind": "person", "campaign": CAMPAIGN, "certificate": "person-1", "receipt": RECEIPT, **people})
    )
    old, office.keys = office.keys, office.folder / "new-keys"
    office.run(restore, "keys", str(office.copy), "--certificate", str(certificate))
    for keys in (old, office.keys):
        office.keys = keys
        assert list_erased_people(keys) == [known]
        await office.store.db.client.drop_database(office.store.db.name)
        assert "start the vault before the other services: it erases 1" in office.run(restore, "data", str(office.data))
        assert await office.store.db[IDENTITIES].count_documents({}) == 2
        for name in NAMING_THE_PERSON:
            assert await office.store.db[name].count_documents({"campaign": CAMPAIGN}) == 1, name
        assert await office.store.erased_people.find("person-1") is None


async def test_no_archive_holds_databases_and_keys(office: Office):
    office.run(backup, "data", str(office.data))
    office.run(backup, "keys", str(office.copy), "--days", "30")
    with zipfile.ZipFile(office.data) as archive:
        assert all(name.endswith((".bson", "manifest.json")) for name in archive.namelist())
        data = b"".join(map(archive.read, archive.namelist()))
    keys = office.copy.read_bytes()
    for path in office.keys.rglob("*.json"):
        assert json.loads(path.read_bytes())["wrapped"].encode() not in data
    assert office.tokens[CAMPAIGN].encode() in data
    assert office.tokens[CAMPAIGN].encode() not in keys
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (office.data, office.copy))
    for arguments in (
        ["data", str(office.copy.parent / "data-2")],
        ["keys", str(office.data.parent / "keys-2"), "--days", "1"],
    ):
        environment = {"KUJI_MONGO_URL": office.url, "KUJI_KEYSTORE_DIR": str(office.keys)}
        refused = _RUN.invoke(backup, arguments, env=environment)
        assert isinstance(refused.exception, ConfigurationError)
        assert "kept apart" in str(refused.exception)


async def test_each_copy_of_the_keys_is_recorded_and_delays_the_certificate(office: Office):
    assert office.keystore.copies_until() is None
    key_folder.copy(office.keys, office.copy, timedelta(days=30))
    key_folder.copy(office.keys, office.copy.with_name("keys-2"), timedelta(days=7))
    until = office.keystore.copies_until()
    assert until is not None
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    with pytest.raises(ConfigurationError, match="key folder"):
        key_folder.copy(office.keys, office.keys / "keys-3", timedelta(days=7))


async def test_a_restore_overwrites_nothing_and_takes_no_archive_that_was_changed(office: Office):
    databases.dump(office.url, [office.store.db.name], office.data)
    key_folder.copy(office.keys, office.copy, timedelta(days=30))
    with pytest.raises(ConfigurationError, match="not empty"):
        databases.load(office.url, office.data, [])
    with pytest.raises(ConfigurationError, match="not empty"):
        key_folder.restore(office.copy, office.keys, [])
    with pytest.raises(FileExistsError):
        databases.dump(office.url, [office.store.db.name], office.data)
    await office.store.db.client.drop_database(office.store.db.name)
    changed = office.data.with_name("data-changed")
    with zipfile.ZipFile(office.data) as archive, zipfile.ZipFile(changed, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            other.writestr(name, content.replace(b"W-7K3M", b"W-7K3N") if IDENTITIES in name else content)
    with pytest.raises(ConfigurationError, match="was changed"):
        databases.load(office.url, changed, [])
    for nothing in (office.copy, office.keys / "root.json"):
        with pytest.raises(ConfigurationError):
            databases.load(office.url, nothing, [])
    with pytest.raises(ConfigurationError):
        key_folder.restore(office.data, office.folder / "elsewhere", [])
    assert await office.store.db[IDENTITIES].count_documents({}) == 0


def test_restoring_keys_asks_what_was_erased_since(tmp_path: Path):
    (tmp_path / "keys-1").write_bytes(b"")
    environment = {**os.environ, "KUJI_KEYSTORE_DIR": str(tmp_path / "keys")}
    refused = _RUN.invoke(restore, ["keys", str(tmp_path / "keys-1")], env=environment)
    assert isinstance(refused.exception, ConfigurationError)
    assert "--none-erased" in str(refused.exception)
