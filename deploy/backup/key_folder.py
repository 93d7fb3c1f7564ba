"""Archive of the vault's key folder. Each copy is recorded in the folder: while one is kept, an erased campaign can be
opened by whoever has it, the databases and the passphrase, and the certificate of erasure says so (PENDING). A copy
of a folder whose root key lies in a token opens nothing that was erased.
"""

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final

from deploy.backup.databases import Destroyed
from services.vault.keys.copies import COPIES, record_copy
from services.vault.keys.erased_people import ErasedPerson, add_erased_person
from services.vault.keys.folder_lock import folder_lock
from services.vault.keys.refused_pin import MARK
from services.vault.keys.root_file import token_group
from shared.errors import ConfigurationError
from shared.files import overwrite_and_remove, write_atomic

_LEFT_OUT: Final = frozenset({"lock", "asking", MARK, COPIES})


def copy(folder: Path, file: Path, keep: timedelta) -> str:
    """Write the key folder to a new archive of mode 0600, record it, and return its SHA-256. Raises FileExistsError.

    It is recorded before it is written: a copy that nobody knows of is worse than a record without a copy.
    """
    if file.resolve().is_relative_to(folder.resolve()):
        raise ConfigurationError("the copy must not lie in the key folder; give another place")
    made = datetime.now(UTC)
    with folder_lock(folder, alone=True):
        record_copy(folder, made, made + keep, token_group(folder))
        _write(folder, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write(folder: Path, file: Path) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in _LEFT_OUT and not path.name.startswith("."):
                archive.add(path, str(path.relative_to(folder)), recursive=False)


def restore(file: Path, folder: Path, certificates: Iterable[Path]) -> tuple[Destroyed, ...]:
    """Bring the key folder back into an empty place, without the keys of campaigns that have certificates of erasure.

    Returns all campaigns whose keys are destroyed: `databases.load` erases them again. Raises ConfigurationError.
    """
    read = [_of_certificate(path) for path in certificates]
    erased = [one for one in read if isinstance(one, Destroyed)]
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError("the key folder is not empty; restore into a new one, with the vault stopped")
    (folder / "campaigns").mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    try:
        with tarfile.open(file, "r:") as archive:
            _extract(archive, folder)
    except (tarfile.TarError, OSError, ValueError):
        raise ConfigurationError(f"{file.name} is no copy of a key folder; give a file of `backup keys`") from None
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for one in erased:
        content = {"v": 1, "fingerprint": one.fingerprint, "destroyed_at": datetime.now(UTC).isoformat()}
        write_atomic(folder / "campaigns" / f"{one.campaign}.destroyed", json.dumps(content).encode())
        overwrite_and_remove(folder / "campaigns" / f"{one.campaign}.json")
    for person in (one for one in read if isinstance(one, ErasedPerson)):
        add_erased_person(folder, person)
    return list_destroyed(folder)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the files of an archive as `_write` names them. Raises TarError for anything else, with nothing outside.

    `extractall` has its filters since Python 3.11.4 only, and Debian 12 has 3.11.2.
    """
    for member in archive:
        place = PurePosixPath(member.name)
        source = archive.extractfile(member) if member.isreg() else None
        if source is None or place.is_absolute() or ".." in place.parts:
            raise tarfile.ReadError(f"not a file below the folder: {member.name!r}")
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written, source:
            shutil.copyfileobj(source, written)


def list_destroyed(folder: Path) -> tuple[Destroyed, ...]:
    """Return the campaigns whose keys a folder says to be destroyed."""
    paths = sorted((folder / "campaigns").glob("*.destroyed"))
    return tuple(Destroyed(path.stem, str(json.loads(path.read_bytes())["fingerprint"])) for path in paths)


def _of_certificate(path: Path) -> Destroyed | ErasedPerson:
    try:
        content = json.loads(path.read_bytes())
        if content.get("kind") == "person":
            people = (content["request"] or None, content["decided_by"], content["carried_out_by"])
            return ErasedPerson(content["campaign"], content["certificate"], content["receipt"], *people)
        return Destroyed(content["campaign"], content["method"]["key_destruction"]["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{path.name} is no certificate of erasure (JSON)") from None
