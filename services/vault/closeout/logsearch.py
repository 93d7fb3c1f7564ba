"""Search the logs for people, while their names can still be decrypted, that is before the key is destroyed."""

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from services.vault.closeout.residue import Search, needles
from services.vault.closeout.rules.certificate import LogScan
from services.vault.identities import repository as identities
from services.vault.identities.person import Person
from services.vault.identities.reveal import Identities
from shared.contracts import Verdict
from shared.ids import CampaignId
from shared.storage import Store

_BATCH: Final = 500
"""People searched for in one pass. More would take too much memory; fewer would read every file more often."""


@dataclass(frozen=True)
class LogSearch:
    """Search `folders` with everything below them. Without any folder the result is UNKNOWN."""

    store: Store
    identities: Identities
    folders: Sequence[Path]

    async def run(self, campaign: CampaignId, case: str) -> LogScan:
        """Search for all people of the campaign; the decryption is recorded in the audit log under `case`."""
        files = await asyncio.to_thread(_files, self.folders)
        if files is None:
            return LogScan(len(self.folders), 0, 0, None, "UNKNOWN")
        hits: int | None = 0
        cursor = self.store.db[identities.COLLECTION].find({"campaign": campaign}, {"_id": 1}).sort("_id", 1)
        while documents := await cursor.to_list(_BATCH):
            tokens = [document["_id"] for document in documents]
            known = await self.identities.reveal(tokens, purpose="erasure", actor="close-out", case=case)
            people = [revealed.person for revealed in known.values()]
            found = await asyncio.to_thread(_search, people, files)
            hits = None if found is None or hits is None else hits + found
        return LogScan(len(self.folders), len(files), _size(files), hits, _verdict(hits))


def _verdict(hits: int | None) -> Verdict:
    if hits is None:
        return "UNKNOWN"
    return "FAIL" if hits else "PASS"


def _files(folders: Sequence[Path]) -> list[Path] | None:
    """Return every file below the folders; None if no folder is named or one does not exist."""
    if not folders or not all(folder.is_dir() for folder in folders):
        return None
    return sorted(
        {file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()}
    )


def _search(people: Iterable[Person], files: Iterable[Path]) -> int | None:
    """Return the hits in all files; None if a file cannot be read."""
    search = Search(needle for person in people for needle in needles(person))
    try:
        return sum(_hits(search, file) for file in files)
    except (OSError, EOFError):
        return None


def _hits(search: Search, file: Path) -> int:
    with _opened(file) as stream:
        return search.hits(stream)


def _opened(file: Path) -> BinaryIO:
    """Open a log, also one that was compressed with gzip."""
    return cast("BinaryIO", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _size(files: Iterable[Path]) -> int:
    """Return the size in bytes. A file that was rotated away meanwhile counts 0."""
    return sum(file.stat().st_size for file in files if file.exists())
