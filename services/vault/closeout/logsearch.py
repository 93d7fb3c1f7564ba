"""The search of the logs for people, done while their names can still be read, that is before the key goes."""

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
"""People looked for in one pass: the needles of more would take too much memory, each pass reads every file."""


@dataclass(frozen=True)
class LogSearch:
    """`folders` are searched with everything below them; with none named, nothing is known."""

    store: Store
    identities: Identities
    folders: Sequence[Path]

    async def run(self, campaign: CampaignId, case: str) -> LogScan:
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
    """Every file below the folders; None where none is named or one is not there."""
    if not folders or not all(folder.is_dir() for folder in folders):
        return None
    return sorted(
        {file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()}
    )


def _search(people: Iterable[Person], files: Iterable[Path]) -> int | None:
    """Hits in all files; None where one cannot be read."""
    search = Search(needle for person in people for needle in needles(person))
    try:
        return sum(_hits(search, file) for file in files)
    except (OSError, EOFError):
        return None


def _hits(search: Search, file: Path) -> int:
    with _opened(file) as stream:
        return search.hits(stream)


def _opened(file: Path) -> BinaryIO:
    """Logs that were put away compressed are read all the same."""
    return cast("BinaryIO", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _size(files: Iterable[Path]) -> int:
    """Bytes. A file that was rotated away meanwhile counts nothing."""
    return sum(file.stat().st_size for file in files if file.exists())
