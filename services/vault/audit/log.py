"""Write audit lines in groups, durable before the plaintext that they speak of is used (R-C7).

Several vault processes write one log: of two writers one loses, reads the new end and tries again.
"""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from services.vault.audit.checkpoints import Checkpoints
from services.vault.audit.folder import CheckpointFolder, SignedState
from services.vault.audit.lines import AuditEvent, write_lines
from services.vault.audit.new_log import NotCutError, open_new_log
from services.vault.audit.repository import AuditRepository
from services.vault.audit.witness import NO_WITNESS, Witness
from shared.clock import Clock, SystemClock
from shared.errors import TransientError
from shared.json_types import JsonObject
from shared.logging import describe, get_logger
from shared.signing import SigningKey
from shared.storage import PyMongoError, Store

CHECKPOINT_EVENTS: Final = 1000
CHECKPOINT_S: Final = 60.0
_ATTEMPTS: Final = 50

_log = get_logger(__name__)


class NotRecordedError(TransientError):
    """Raised when a line could not be made durable; the plaintext that it speaks of must not be used."""


class AuditLog:
    """Append lines in groups: events that arrive during a write go with the next one.

    `clock` gives the times of lines. `folder` holds the checkpoints, beside the keys. `wall` is real time.
    """

    def __init__(
        self,
        store: Store,
        signing: SigningKey,
        clock: Clock,
        folder: Path,
        *,
        witness: Witness = NO_WITNESS,
        wall: Clock | None = None,
        checkpoint_s: float = CHECKPOINT_S,
    ) -> None:
        self._repository, self._clock = AuditRepository(store), clock
        self.folder = CheckpointFolder(folder, lambda: signing.name, store.db)
        self._signing, self.witness = signing, witness
        self._checkpoints = Checkpoints(self._repository, self.folder, signing, wall or SystemClock())
        self._waiting: list[tuple[Sequence[AuditEvent], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._end: tuple[int, int] | None = None
        self._checkpoint_due, self._checkpoint_s = asyncio.Event(), checkpoint_s

    @property
    def public_key(self) -> str:
        """Public key (base64url) that signed the last checkpoint."""
        return self._signing.public

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """Return when all lines are durable. Raises NotRecordedError; then none of the events may take place."""
        if not events:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="audit log")
        await done

    async def _write_waiting(self) -> None:
        """Run as a task of its own, so that a cancelled caller does not cancel the lines of other callers."""
        while self._waiting:
            group, self._waiting = self._waiting, []
            failure: NotRecordedError | None = NotRecordedError("the audit log was interrupted; try again")
            try:
                await self._append([event for events, _ in group for event in events])
                failure = None
            except (PyMongoError, OSError, NotRecordedError) as error:
                self._end = None
                failure = NotRecordedError(f"the audit log cannot be written ({type(error).__name__})")
            finally:
                _answer([done for _, done in group], failure)
        if self._checkpoints.uncovered >= CHECKPOINT_EVENTS:
            self._checkpoint_due.set()

    async def _append(self, events: Sequence[AuditEvent]) -> None:
        at, epoch = self._clock.now().isoformat(), self.folder.epoch
        for attempt in range(_ATTEMPTS):
            is_known = self._end is not None and self._end[0] == epoch
            after = self._end[1] if self._end is not None and is_known else await self._repository.end(epoch)
            lines = write_lines(events, after, at)
            inserted = await self._repository.append(epoch, lines)
            self._checkpoints.note_written(epoch, lines[:inserted])
            if inserted == len(lines):
                self._end = epoch, lines[-1].seq
                return
            self._end = None
            events = events[inserted:]
            await asyncio.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311  (spreads rivals)
        raise NotRecordedError("other writers were faster each time")

    async def checkpoint(self, *, afresh: bool = False) -> SignedState | None:
        """Return the signed end of the log; None if the log is empty or was cut. `afresh`: read all lines again."""
        return await self._checkpoints.sign(afresh=afresh)

    async def is_whole(self) -> bool:
        """Read all lines again, and return True if they continue the last checkpoint."""
        await self.checkpoint(afresh=True)
        return not self.is_cut

    @property
    def is_cut(self) -> bool:
        """True while the log in use is one of which lines are missing or changed."""
        return self.folder.cut(self.folder.epoch) is not None

    def new_log_params(self) -> JsonObject:
        """Return what an approval of a new log names: the cut log and its last checkpoint. Raises NotCutError."""
        epoch = self.folder.epoch
        if not self.is_cut:
            raise NotCutError("the audit log is whole; nothing was opened")
        signed = self.folder.signed(epoch)
        note = "" if signed is None else signed.note
        return {"epoch": epoch, "checkpoint_sha256": hashlib.sha256(note.encode("utf-8")).hexdigest()}

    async def open_new_log(self, event: AuditEvent) -> int:
        """Open the next log after a cut, with `event` as its first line. Return its number. Raises NotCutError."""
        return await open_new_log(self._repository, self.folder, event, self._clock.now())

    @asynccontextmanager
    async def checkpoints(self) -> AsyncIterator[None]:
        """Write checkpoints while the block runs, and the last one at its end."""
        writing = asyncio.create_task(self._write_checkpoints(), name="audit checkpoints")
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self._try_checkpoint()

    async def _write_checkpoints(self) -> None:
        """Write a checkpoint every `checkpoint_s` or thousand lines, and ask the witness, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._checkpoint_s):
                    await self._checkpoint_due.wait()
            self._checkpoint_due.clear()
            await self._try_checkpoint()
            await self.ask_witness()

    async def _try_checkpoint(self) -> None:
        try:
            await self.checkpoint()
        except (PyMongoError, TransientError, OSError) as error:
            _log.warning("checkpoint-not-written", **describe(error))

    async def ask_witness(self) -> bool:
        """Ask the witness to cosign the last checkpoint; return True if it did. Nothing waits for it."""
        try:
            return await self.witness.ask(self._repository, self._checkpoints)
        except (PyMongoError, TransientError, OSError) as error:
            _log.warning("witness-not-asked", **describe(error))
            return False

    @property
    def hours_without_witness(self) -> int:
        """Hours since the last cosignature, from the 24th on; else 0."""
        return self.witness.hours_without(self.folder, self._checkpoints.wall.now())

    @property
    def alarms(self) -> Mapping[str, Callable[[], Awaitable[int]]]:
        """Counts that should be zero: 1 for a log that was cut, and hours without a cosignature from the 24th on."""

        async def cut() -> int:
            return int(self.is_cut)

        async def hours_without_witness() -> int:
            return self.hours_without_witness

        return {"audit_log_cut": cut, "audit_hours_without_witness": hours_without_witness}

    async def end(self) -> int:
        """Return the number of the last line of the log in use."""
        return await self._repository.end(self.folder.epoch)

    async def lines(self, after: int, limit: int = 1000, epoch: int | None = None) -> list[str]:
        """Return the lines that follow number `after`, as they were written; of the log in use by default."""
        return await self._repository.lines(self.folder.epoch if epoch is None else epoch, after, limit)


def _answer(waiting: Sequence[asyncio.Future[None]], failure: NotRecordedError | None) -> None:
    """Give each caller that still waits its result; a caller cancelled meanwhile needs none."""
    for done in waiting:
        if done.done():
            continue
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)
