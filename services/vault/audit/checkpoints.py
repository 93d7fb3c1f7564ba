"""Sign the end of the audit log, only where it extends the last checkpoint (`docs/protocols.md` §6).

The lines come from the database again. Lines that this process wrote are compared with their hashes, so that a change
between writing and signing is found too.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.vault.audit.folder import CheckpointFolder, Cut, SignedState
from services.vault.audit.lines import AuditLine
from services.vault.audit.repository import AuditRepository
from shared.clock import Clock
from shared.errors import KujiError, NotReadyError
from shared.logging import get_logger
from shared.merkle import leaf_hash
from shared.signing import SigningKey
from shared.tlog import Checkpoint, Frontier, Note, NoteError, NoteKey, read_body, read_checkpoint, sign_checkpoint

RECHECK_S: Final = 3600.0
"""Seconds after which a process reads the whole log again; a line changed below a checkpoint is found then."""

_log = get_logger(__name__)


class LogCutError(KujiError):
    """Raised when the lines do not continue the last checkpoint. `reason`: a code of `docs/protocols.md` §6."""

    def __init__(self, reason: str, size: int, found: int) -> None:
        super().__init__(f"the audit log was cut: {reason}")
        self.reason, self.size, self.found = reason, size, found


@dataclass
class _Reading:
    """Position of a process in a log: the tree of the lines read so far."""

    epoch: int
    tree: Frontier
    last: bytes
    begun: float


class Checkpoints:
    """Checkpoints of one vault process. `wall`: real time, which no rehearsal moves."""

    def __init__(self, repository: AuditRepository, folder: CheckpointFolder, signing: SigningKey, wall: Clock) -> None:
        self._repository, self.folder, self._signing, self.wall = repository, folder, signing, wall
        self._own: dict[tuple[int, int], bytes] = {}
        self._reading: _Reading | None = None
        self._alone = asyncio.Lock()

    @property
    def uncovered(self) -> int:
        """Number of lines that this process wrote and has not found under a checkpoint yet."""
        return len(self._own)

    def note_written(self, epoch: int, lines: Sequence[AuditLine]) -> None:
        """Keep the hashes of lines that this process wrote, until a checkpoint covers them."""
        for line in lines:
            self._own[epoch, line.seq] = leaf_hash(line.text.encode("utf-8"))

    async def sign(self, *, afresh: bool = False) -> SignedState | None:
        """Return the checkpoint of all lines, signed where it is new. None if the log is empty or was cut.

        `afresh`: read the log from its first line again.
        """
        async with self._alone:
            epoch = self.folder.epoch
            if self.folder.cut(epoch) is not None:
                self._own.clear()
                return None
            try:
                return await self._sign(epoch, afresh=afresh)
            except LogCutError as error:
                self.report_cut(epoch, error)
                return None

    def report_cut(self, epoch: int, error: LogCutError) -> None:
        """Keep the finding and log it once: from now on nothing of this log is signed."""
        cut = Cut(error.reason, error.size, error.found, self.wall.now())
        if self.folder.write_cut(epoch, cut):
            _log.error("audit-log-cut", reason=error.reason, expected=error.size, count=error.found)

    def read_known(self, note: str, epoch: int) -> Checkpoint:
        """Return the vault's own checkpoint that a witness keeps; an empty one for an empty text. Raises NoteError.

        One whose key was revoked since is believed where it is the last that the vault itself saw cosigned.
        """
        origin, cosigned = self.folder.origin(epoch), self.folder.cosigned(epoch)
        if not note:
            return Checkpoint(origin, 0, b"")
        parsed = Note.parse(note)
        is_own = cosigned is not None and Note.parse(cosigned.note).body == parsed.body
        checkpoint = read_body(parsed.body) if is_own else read_checkpoint(parsed, self._signing.verifying)
        if checkpoint.origin != origin:
            raise NoteError("the witness answered with the checkpoint of another log")
        return checkpoint

    async def _sign(self, epoch: int, *, afresh: bool) -> SignedState | None:
        reading = self._resume(epoch, afresh=afresh)
        await self._read_to(reading, self.folder.signed(epoch), to_end=False)
        async with self.folder.locked():
            signed = self.folder.signed(epoch)
            await self._read_to(reading, signed, to_end=True)
            self._reading = reading
            state = await asyncio.to_thread(self._write, reading, signed)
        self._own = {key: leaf for key, leaf in self._own.items() if key[0] == epoch and key[1] > reading.tree.size}
        return state

    def _resume(self, epoch: int, *, afresh: bool) -> _Reading:
        """Return a copy of the position, or one before the first line where the whole log is due."""
        reading, now, signed = self._reading, time.monotonic(), self.folder.signed(epoch)
        is_due = reading is None or reading.epoch != epoch or now - reading.begun > RECHECK_S
        if afresh or is_due or reading is None or reading.tree.size > _size(signed):
            return _Reading(epoch, Frontier(), b"", now)
        return _Reading(epoch, reading.tree.copy(), reading.last, reading.begun)

    async def _read_to(self, reading: _Reading, signed: SignedState | None, *, to_end: bool) -> None:
        """Read on to the last checkpoint, or to the end of the log. Raises LogCutError.

        The last line read before comes once more: it must still be there, and the same.
        """
        tree, size = reading.tree, _size(signed)
        if tree.size >= size and not to_end:
            return
        is_confirmed = tree.size == 0
        async for lines in self._repository.read(reading.epoch, max(tree.size - 1, 0)):
            for line in lines:
                if tree.size == size and not to_end:
                    return
                self._take(reading, line)
                is_confirmed = True
                if signed is not None and tree.size == size and tuple(tree.peaks) != signed.peaks:
                    raise LogCutError("other-lines", size, size)
            await asyncio.sleep(0)
        if not is_confirmed or tree.size < size:
            found = await self._repository.end(reading.epoch)
            raise LogCutError("missing-lines", max(size, tree.size), found)

    def _take(self, reading: _Reading, line: AuditLine) -> None:
        """Append the next line to the tree; the last line known comes once more and must be the same."""
        tree, leaf = reading.tree, leaf_hash(line.text.encode("utf-8"))
        if line.seq == tree.size and tree.size > 0:
            if leaf != reading.last:
                raise LogCutError("other-lines", tree.size, tree.size)
            return
        if line.seq != tree.size + 1:
            raise LogCutError("missing-lines", line.seq, tree.size)
        if self._own.get((reading.epoch, line.seq), leaf) != leaf:
            raise LogCutError("other-lines", line.seq, line.seq)
        tree.append(leaf)
        reading.last = leaf

    def _write(self, reading: _Reading, signed: SignedState | None) -> SignedState | None:
        """Sign and keep the checkpoint of what was read, if it is longer than the last one, or the key is another."""
        tree = reading.tree
        origin = self.folder.origin(reading.epoch)
        if tree.size == _size(signed) and (signed is None or self._is_by_present_key(signed.note, origin)):
            return signed
        checkpoint = Checkpoint(origin, tree.size, tree.root())
        try:
            note, now = sign_checkpoint(checkpoint, self._signing).to_text(), self.wall.now()
        except NotReadyError:  # the vault is locked: its log can be read, and nothing new is signed
            return signed
        since = now if signed is None else signed.since
        state = SignedState(note, tree.size, tuple(tree.peaks), reading.last, since, now)
        self.folder.write_signed(reading.epoch, state)
        return state

    def _is_by_present_key(self, note: str, origin: str) -> bool:
        """Return False after the signing key was rotated: then the last checkpoint is signed again."""
        return Note.parse(note).is_signed_by(NoteKey(origin, self._signing.public))


def _size(signed: SignedState | None) -> int:
    return 0 if signed is None else signed.size
