"""Keep checkpoints beside the keys, outside the database: a restored older database cannot bring them back.

All vault processes of an installation share the folder. One at a time writes: the process that holds its lease in the
database, and the lock of the file system as well. A process that was frozen meanwhile has lost its lease and writes
nothing, so that hosts whose file system keeps no locks between them never write over each other (ADR 52).
"""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from services.vault.audit.lines import FIRST_EPOCH
from shared.canonical import canonical
from shared.errors import TransientError
from shared.files import create_once, write_atomic
from shared.json_types import JsonObject
from shared.storage import Database, ExclusiveLease
from shared.tlog import Frontier

CHECKPOINTS_LEASE, WITNESS_LEASE = "checkpoints", "witness"
"""Leases of the process that signs, and of the one that asks the witness."""

_LOCK_S: Final = 10.0
_LOCK_PAUSE_S: Final = 0.02


class FolderTakenError(TransientError):
    """Raised when another process, perhaps a frozen one, keeps the lock of the folder."""


@dataclass(frozen=True)
class SignedState:
    """Last checkpoint that the vault signed or the witness cosigned, with what continues or proves it.

    `last`: hash of the last leaf. `since`: time of the first checkpoint of this log. `at`: time of this one.
    """

    note: str
    size: int
    peaks: tuple[bytes, ...]
    last: bytes
    since: datetime
    at: datetime

    def is_of(self, signed: "SignedState") -> bool:
        """Return True for the checkpoint `signed` itself, with cosignatures added; False also where its key changed."""
        return self.note.startswith(signed.note)

    @property
    def frontier(self) -> Frontier:
        """Tree that the checkpoint covers."""
        return Frontier(self.size, self.peaks)

    def to_document(self) -> JsonObject:
        """Return the content of the file."""
        return {
            "v": 2,
            "note": self.note,
            "size": self.size,
            "peaks": [peak.hex() for peak in self.peaks],
            "last": self.last.hex(),
            "since": self.since.isoformat(),
            "at": self.at.isoformat(),
        }

    @classmethod
    def from_document(cls, document: JsonObject) -> "SignedState":
        """Return the state of a file."""
        return cls(
            document["note"],
            document["size"],
            tuple(bytes.fromhex(peak) for peak in document["peaks"]),
            bytes.fromhex(document["last"]),
            datetime.fromisoformat(document["since"]),
            datetime.fromisoformat(document["at"]),
        )


@dataclass(frozen=True)
class Cut:
    """Finding that the lines of a log do not continue its last checkpoint. `size`: of that checkpoint."""

    reason: str
    size: int
    found: int
    at: datetime


class CheckpointFolder:
    """Files of one installation: number of the log in use, its last checkpoint, cosignature, and finding."""

    def __init__(self, folder: Path, make_name: Callable[[], str], db: Database) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._signing, self._asking = ExclusiveLease(db, CHECKPOINTS_LEASE), ExclusiveLease(db, WITNESS_LEASE)
        self._folder = folder
        self.installation = create_once(folder / "installation", lambda: make_name().encode("ascii")).decode("ascii")

    @property
    def epoch(self) -> int:
        """Number of the log in use, from 1."""
        try:
            return int((self._folder / "epoch").read_text("ascii"))
        except FileNotFoundError:
            return FIRST_EPOCH

    def open_epoch(self, epoch: int) -> None:
        """Make this log the one in use, for all processes. Raises LeaseError outside `locked`."""
        self._signing.check()
        write_atomic(self._folder / "epoch", str(epoch).encode("ascii"))

    def origin(self, epoch: int) -> str:
        """Return the origin of a log, which is also the name of its key."""
        return f"kuji/audit/{self.installation}/{epoch}"

    def signed(self, epoch: int) -> SignedState | None:
        """Return the last checkpoint that the vault signed."""
        return self._state(epoch, "signed")

    def cosigned(self, epoch: int) -> SignedState | None:
        """Return the last checkpoint that the witness cosigned."""
        return self._state(epoch, "cosigned")

    def write_signed(self, epoch: int, state: SignedState) -> None:
        """Keep a checkpoint as the last one, and in the list of all, before anything else learns of it.

        Raises LeaseError outside `locked`, or where another process may be in it meanwhile.
        """
        self._signing.check()
        write_atomic(self._folder / f"{epoch}-signed.json", canonical(state.to_document()))
        _append_line(self._folder / f"{epoch}-all.jsonl", canonical({"note": state.note}))

    def write_cosigned(self, epoch: int, state: SignedState) -> None:
        """Keep the last checkpoint with its cosignature. Raises LeaseError outside `asking`."""
        self._asking.check()
        write_atomic(self._folder / f"{epoch}-cosigned.json", canonical(state.to_document()))

    def cut(self, epoch: int) -> Cut | None:
        """Return the finding that this log was cut, or None."""
        content = self._read(f"{epoch}-cut.json")
        if content is None:
            return None
        at = datetime.fromisoformat(content["at"])
        return Cut(content["reason"], content["size"], content["found"], at)

    def write_cut(self, epoch: int, cut: Cut) -> bool:
        """Keep the first finding for good; return True if this was the first."""
        content = {"reason": cut.reason, "size": cut.size, "found": cut.found, "at": cut.at.isoformat()}
        path = self._folder / f"{epoch}-cut.json"
        is_first = not path.exists()
        create_once(path, lambda: canonical(content))
        return is_first

    def locked(self) -> AbstractAsyncContextManager[None]:
        """Hold lease and lock of the one process that signs.

        Raises TransientError if another one stays in, or the database is away.
        """
        return self._held("lock", self._signing)

    def asking(self) -> AbstractAsyncContextManager[None]:
        """Hold those of the one process that asks the witness. Raises TransientError as above."""
        return self._held("asking", self._asking)

    @asynccontextmanager
    async def _held(self, name: str, lease: ExclusiveLease) -> AsyncIterator[None]:
        async with lease.held():
            handle = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                await _await_lock(handle)
                yield
            finally:
                os.close(handle)

    def _state(self, epoch: int, kind: str) -> SignedState | None:
        content = self._read(f"{epoch}-{kind}.json")
        return None if content is None else SignedState.from_document(content)

    def _read(self, name: str) -> JsonObject | None:
        try:
            content: JsonObject = json.loads((self._folder / name).read_bytes())
        except FileNotFoundError:
            return None
        return content


async def _await_lock(handle: int) -> None:
    try:
        async with asyncio.timeout(_LOCK_S):
            while not _take(handle):  # noqa: ASYNC110  (another process holds it)
                await asyncio.sleep(_LOCK_PAUSE_S)
    except TimeoutError:
        raise FolderTakenError("another process keeps the lock of the checkpoints; try again in a moment") from None


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _append_line(path: Path, line: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
