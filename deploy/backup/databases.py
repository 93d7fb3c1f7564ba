"""Archive of the services' databases: all collections at one moment, with a count and a hash of each.

Without the key folder nobody opens a person in it. Restoring brings back what was erased since, so the erasures of
campaigns that the key folder knows are repeated before anything else uses the databases; those of people by the vault.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bson import decode_file_iter
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from shared.errors import ConfigurationError
from shared.json_types import JsonObject
from shared.storage import TOMBSTONES

MANIFEST: Final = "manifest.json"
_BATCH: Final = 1000
_TIMEOUT_MS: Final = 15_000

_Database = Database[RawBSONDocument]


@dataclass(frozen=True)
class Destroyed:
    """Campaign whose key was destroyed: id, and hash of its certificate's or tombstone's content."""

    campaign: str
    fingerprint: str


def dump(url: str, names: Sequence[str], file: Path) -> JsonObject:
    """Write the databases to a new archive of mode 0600, and return its manifest. Raises FileExistsError."""
    manifest: JsonObject = {"v": 1, "kind": "kuji-databases", "at": datetime.now(UTC).isoformat(), "databases": {}}
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with (
        os.fdopen(handle, "wb") as raw,
        zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive,
        MongoClient[RawBSONDocument](
            url, document_class=RawBSONDocument, serverSelectionTimeoutMS=_TIMEOUT_MS
        ) as client,
        client.start_session(snapshot=True) as session,
    ):
        for name in names:
            database, collections = client[name], {}
            for collection in sorted(database.list_collection_names()):
                digest, count = hashlib.sha256(), 0
                with archive.open(f"{name}/{collection}.bson", "w", force_zip64=True) as entry:
                    for document in database[collection].find({}, session=session, batch_size=_BATCH):
                        entry.write(document.raw)
                        digest.update(document.raw)
                        count += 1
                collections[collection] = {"documents": count, "sha256": digest.hexdigest()}
            manifest["databases"][name] = collections
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return manifest


def load(url: str, file: Path, destroyed: Iterable[Destroyed]) -> dict[str, int]:
    """Bring an archive back into databases that are empty, then erase again the campaigns that were erased since.

    People who were erased since are erased again by the vault when it starts, by the rules of such an erasure.
    Returns the number of documents by database. Raises ConfigurationError, before anything is written, for an archive
    that is none or was changed, and for databases with documents.
    """
    with (
        _opened(file) as archive,
        MongoClient[RawBSONDocument](
            url, document_class=RawBSONDocument, serverSelectionTimeoutMS=_TIMEOUT_MS
        ) as client,
    ):
        databases = _read_manifest(archive)
        _check(archive, databases)
        for name, collections in databases.items():
            for collection in collections:
                if client[name][collection].find_one({}, {"_id": 1}) is not None:
                    raise ConfigurationError(f"database {name} is not empty; restore into a new MongoDB")
        for name, collections in databases.items():
            for collection in collections:
                _insert(archive, client[name], collection)
        for one in destroyed:
            for name, collections in databases.items():
                _erase_again(client[name], collections, one)
        return {
            name: sum(client[name][each].count_documents({}) for each in collections)
            for name, collections in databases.items()
        }


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile):
        raise ConfigurationError(f"{file.name} is no archive of databases; give a file of `backup data`") from None


def _read_manifest(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    try:
        manifest = json.loads(archive.read(MANIFEST))
        databases: Mapping[str, Any] = manifest["databases"]
    except (KeyError, ValueError):
        raise ConfigurationError("the archive has no manifest; give a file of `backup data`") from None
    return databases


def _check(archive: zipfile.ZipFile, databases: Mapping[str, Any]) -> None:
    for name, collections in databases.items():
        for collection, facts in collections.items():
            digest = hashlib.sha256()
            with archive.open(f"{name}/{collection}.bson") as entry:
                while part := entry.read(1 << 20):
                    digest.update(part)
            if digest.hexdigest() != facts["sha256"]:
                raise ConfigurationError(f"{name}/{collection} in the archive was changed; use another copy")


def _insert(archive: zipfile.ZipFile, database: _Database, collection: str) -> None:
    batch: list[RawBSONDocument] = []
    with archive.open(f"{database.name}/{collection}.bson") as entry:
        for document in decode_file_iter(entry, database.codec_options):
            batch.append(document)
            if len(batch) == _BATCH:
                database[collection].insert_many(batch)
                batch = []
    if batch:
        database[collection].insert_many(batch)


def _erase_again(database: _Database, collections: Iterable[str], one: Destroyed) -> None:
    """Delete every document of the campaign, and leave the tombstone that keeps late messages out."""
    for collection in collections:
        if collection not in {TOMBSTONES, "lines"}:
            database[collection].delete_many({"$or": [{"campaign": one.campaign}, {"_id": one.campaign}]})
    fresh = {"erasure_id": "restored", "campaign_sha256": one.fingerprint, "at": datetime.now(UTC), "dropped": 0}
    if TOMBSTONES in collections:
        database[TOMBSTONES].update_one({"_id": one.campaign}, {"$setOnInsert": fresh}, upsert=True)
