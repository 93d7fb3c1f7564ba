"""Search the logs for people, while their names can still be decrypted, that is before the key is destroyed."""

import asyncio
import gzip
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from services.vault.closeout.log_grams import LogGrams
from services.vault.closeout.residue import Search, needles
from services.vault.closeout.rules.certificate import LogScan
from services.vault.identities import repository as identities
from services.vault.identities.person import Person
from services.vault.identities.reveal import Identities
from shared.contracts import Verdict
from shared.ids import CampaignId
from shared.storage import Store

_BATCH: Final = 500
"""People who are decrypted at once."""

_PASS: Final = 100_000
"""Forms that one pass looks for. More would take too much memory; fewer would read the logs more often."""


_OVERLAP: Final = 4096
"""Bytes before the end of the first look that the second reads again: a line may have been half written."""

_UNREADABLE: Final = (OSError, EOFError, zlib.error)


@dataclass
class OpenLog:
    """Log that stays open: after a rotation its bytes are still those of this file. `start`: where a look begins."""

    stream: BinaryIO
    start: int = 0
    end: int = 0

    @property
    def id(self) -> tuple[int, int]:
        """Device and inode."""
        status = os.fstat(self.stream.fileno())
        return status.st_dev, status.st_ino

    def look(self) -> BinaryIO:
        """Return the stream at the place where this look begins."""
        self.stream.seek(self.start)
        return self.stream


@dataclass(frozen=True)
class LogSearch:
    """Search `folders` with everything below them. Without any folder the result is UNKNOWN."""

    store: Store
    identities: Identities
    folders: Sequence[Path]

    async def run(self, campaign: CampaignId, case: str) -> LogScan:
        """Search for all people of the campaign; the decryption is recorded in the audit log under `case`.

        The logs are read whole once, and again only for forms of people that may stand in them, so that the time grows
        with the people and the logs and not with their product. What was written meanwhile, by the decryption too, is
        searched in a second look.
        """
        with ExitStack() as opened:
            logs = await asyncio.to_thread(_open_new, self.folders, [], opened)
            if logs is None:
                return LogScan(len(self.folders), 0, 0, None, "UNKNOWN")
            hits = await self._look(logs, campaign, case)
            more = None if hits is None else await asyncio.to_thread(_open_new, self.folders, logs, opened)
            grown = None if more is None else await asyncio.to_thread(_grown, logs)
            if more is None or grown is None:
                return LogScan(len(self.folders), len(logs), sum(log.end for log in logs), None, "UNKNOWN")
            if grown or more:
                hits = _sum(hits, await self._look([*grown, *more], campaign, case))
            logs += more
            return LogScan(len(self.folders), len(logs), sum(log.end for log in logs), hits, _verdict(hits))

    async def _look(self, logs: Sequence[OpenLog], campaign: CampaignId, case: str) -> int | None:
        """Return the hits in all logs from where each begins; None if one cannot be read."""
        grams = await asyncio.to_thread(_grams, logs)
        if grams is None:
            return None
        hits: int | None = 0
        possible: set[bytes] = set()
        cursor = self.store.db[identities.COLLECTION].find({"campaign": campaign}, {"_id": 1}).sort("_id", 1)
        while documents := await cursor.to_list(_BATCH):
            tokens = [document["_id"] for document in documents]
            known = await self.identities.reveal(tokens, purpose="erasure", actor="close-out", case=case)
            people = [revealed.person for revealed in known.values()]
            possible |= await asyncio.to_thread(_possible, grams, people)
            if len(possible) >= _PASS:
                hits = _sum(hits, await asyncio.to_thread(_search, possible, logs))
                possible = set()
        return _sum(hits, await asyncio.to_thread(_search, possible, logs)) if possible else hits


def _sum(hits: int | None, more: int | None) -> int | None:
    return None if hits is None or more is None else hits + more


def _verdict(hits: int | None) -> Verdict:
    if hits is None:
        return "UNKNOWN"
    return "FAIL" if hits else "PASS"


def _open_new(folders: Sequence[Path], known: Sequence[OpenLog], opened: ExitStack) -> list[OpenLog] | None:
    """Open every file below the folders that is not open; None if no folder is named or something is missing."""
    if not folders or not all(folder.is_dir() for folder in folders):
        return None
    files = {file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()}
    ids, found = {log.id for log in known}, []
    try:
        for file in sorted(files):
            status = file.stat()
            if (status.st_dev, status.st_ino) not in ids:
                found.append(OpenLog(opened.enter_context(_opened(file))))
    except _UNREADABLE:
        return None
    return found


def _grown(logs: Iterable[OpenLog]) -> list[OpenLog] | None:
    """Return the logs that have grown since they were read, to be looked at from there; None if one cannot be read."""
    grown = []
    try:
        for log in logs:
            log.stream.seek(log.end)
            if log.stream.read(1):
                log.start = max(0, log.end - _OVERLAP)
                grown.append(log)
    except _UNREADABLE:
        return None
    return grown


def _grams(logs: Sequence[OpenLog]) -> LogGrams | None:
    """Return what stands in all logs, and note where each ended; None if one cannot be read."""
    try:
        grams = LogGrams(sum(os.fstat(log.stream.fileno()).st_size - log.start for log in logs))
        for log in logs:
            grams.add(log.look())
            log.end = log.stream.tell()
    except _UNREADABLE:
        return None
    return grams


def _possible(grams: LogGrams, people: Iterable[Person]) -> set[bytes]:
    return grams.possible(form for person in people for form in needles(person))


def _search(wanted: Iterable[bytes], logs: Iterable[OpenLog]) -> int | None:
    """Return the hits in all logs; None if one cannot be read."""
    search = Search(wanted)
    try:
        return sum(search.hits(log.look()) for log in logs)
    except _UNREADABLE:
        return None


def _opened(file: Path) -> BinaryIO:
    """Open a log, also one that was compressed with gzip."""
    return cast("BinaryIO", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")
