"""The spool: sealed papers on their way, each a file that is whole or not there, whatever ends the tool (mode 0600)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from deploy.edge.open_files import is_being_written
from shared.files import write_atomic

if TYPE_CHECKING:
    from shared.ids import CampaignId, KeyId, PaperId, Serial


@dataclass(frozen=True)
class ClearFile:
    """The file a paper was sealed from, as it was then: one that was written anew under its name is another file.

    `sha256`: of the bytes that were sealed (hex).
    """

    path: str
    mark: str
    sha256: str = ""

    @classmethod
    def of(cls, path: Path, facts: os.stat_result, content: bytes = b"") -> Self:
        """Describe a file of which `content` was read."""
        mark = f"{facts.st_ino}-{facts.st_size}-{facts.st_mtime_ns}"
        return cls(str(path.resolve()), mark, hashlib.sha256(content).hexdigest())

    def is_same_file(self, other: ClearFile) -> bool:
        """Return True if both describe the same file of the same state, read or not."""
        return (self.path, self.mark) == (other.path, other.mark)

    def remove(self) -> bool:
        """Remove the file if it is byte for byte what was sealed; return False if it stays, because it is not.

        It gets a hidden name first, so that a writer that opens its name anew makes a file of its own; one that was
        interrupted here goes on under that name.
        """
        path = Path(self.path)
        hidden = path.with_name(f".{path.name}.sent")
        if not hidden.exists():
            try:
                path.rename(hidden)
            except FileNotFoundError:
                return True
        if not is_being_written(hidden) and self._is_what_was_sealed(hidden):
            hidden.unlink()
            return True
        with contextlib.suppress(FileExistsError):
            os.link(hidden, path)
            hidden.unlink()
        return False

    def _is_what_was_sealed(self, file: Path) -> bool:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True)
class SealedPaper:
    """Paper as it is posted; `clear`: the file to remove after the receipt, None where the paper never was a file."""

    campaign: CampaignId
    paper_id: PaperId
    key_id: KeyId
    channel: Literal["fax", "post"]
    serial: Serial
    received_at: str
    sealed: str
    clear: ClearFile | None

    def body(self) -> dict[str, object]:
        """Return the body of the request (`docs/protocols.md` §1)."""
        here = {"campaign", "clear"}
        return {"v": 1, **{name: value for name, value in asdict(self).items() if name not in here}}


class Spool:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refused = folder / "refused"
        self._refused.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)

    def put(self, paper: SealedPaper) -> None:
        """Add a paper; it is on the disk when this returns."""
        write_atomic(self._path(paper), json.dumps(asdict(paper)).encode("ascii"))

    def papers(self) -> Iterator[SealedPaper]:
        """Yield the papers that wait, the oldest first."""
        for path in sorted(self._folder.glob("*.json"), key=_age):
            with contextlib.suppress(FileNotFoundError):  # delivered by another run meanwhile
                kept = json.loads(path.read_bytes())
                yield SealedPaper(**{**kept, "clear": kept["clear"] and ClearFile(**kept["clear"])})

    def done(self, paper: SealedPaper) -> None:
        """Intake has it: the clear file goes first, so that it never outlives the note about it."""
        if paper.clear is not None:
            paper.clear.remove()
        self.drop(paper)

    def drop(self, paper: SealedPaper) -> None:
        """Forget the sealed copy; a clear file stays."""
        self._path(paper).unlink(missing_ok=True)

    def refuse(self, paper: SealedPaper) -> None:
        """Intake will never take it. Where there is no clear file to begin with again, the sealed one is set aside."""
        if paper.clear is None:
            self._path(paper).replace(self._refused / self._path(paper).name)
        else:
            self.drop(paper)

    def _path(self, paper: SealedPaper) -> Path:
        return self._folder / f"{paper.paper_id}.json"


def _age(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:
        return 0, path.name
