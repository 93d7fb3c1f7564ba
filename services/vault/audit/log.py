"""Write audit lines in groups, durable before the plaintext that they speak of is used (R-C7).

Several vault processes write one chain: of two writers one loses, reads the new end and tries again. Signed
checkpoints go to a second place (`docs/protocols.md` §6).
"""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from services.vault.audit.chain import AuditEvent, ChainEnd, append_events
from services.vault.audit.repository import AuditRepository
from shared.canonical import canonical
from shared.clock import Clock
from shared.errors import TransientError
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
    """Append lines in groups: events that arrive during a write go with the next one."""

    def __init__(self, store: Store, signing: SigningKey, clock: Clock, checkpoints: Path) -> None:
        self._repository = AuditRepository(store)
        self._signing, self._clock, self._checkpoints = signing, clock, checkpoints
        self._waiting: list[tuple[Sequence[AuditEvent], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._end: ChainEnd | None = None
        self._checked = 0
        self._checkpoint_due = asyncio.Event()

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
            except (PyMongoError, NotRecordedError) as error:
                self._end = None
                failure = NotRecordedError(f"the audit log cannot be written ({type(error).__name__})")
            finally:
                _answer([done for _, done in group], failure)
        if self._end is not None and self._end.seq - self._checked >= CHECKPOINT_EVENTS:
            self._checkpoint_due.set()

    async def _append(self, events: Sequence[AuditEvent]) -> None:
        at = self._clock.now().isoformat()
        for attempt in range(_ATTEMPTS):
            lines, end = append_events(events, self._end or await self._repository.end(), at)
            inserted = await self._repository.append(lines)
            if inserted == len(lines):
                self._end = end
                return
            self._end = None
            events = events[inserted:]
            await asyncio.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311  (spreads rivals)
        raise NotRecordedError("other writers were faster each time")

    async def checkpoint(self) -> Mapping[str, Any] | None:
        """Sign the end of the chain, append it to the checkpoint file and return it; None if the log is empty."""
        end = await self._repository.end()
        if end.seq == 0:
            return None
        signed = self._signing.sign_document(
            {"v": 1, "seq": end.seq, "hash": end.digest, "at": self._clock.now().isoformat()}
        )
        if end.seq != self._checked:
            await asyncio.to_thread(_append_line, self._checkpoints, canonical(signed))
            self._checked = end.seq
        return signed

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
        """Write a checkpoint every minute or every thousand lines, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECKPOINT_S):
                    await self._checkpoint_due.wait()
            self._checkpoint_due.clear()
            await self._try_checkpoint()

    async def _try_checkpoint(self) -> None:
        try:
            await self.checkpoint()
        except (PyMongoError, OSError) as error:
            _log.warning("checkpoint-not-written", **describe(error))

    async def lines(self, after: int, limit: int = 1000) -> list[str]:
        """Return the lines that follow number `after`, as they were written."""
        return await self._repository.lines(after, limit)


def _answer(waiting: Sequence[asyncio.Future[None]], failure: NotRecordedError | None) -> None:
    """Give each caller that still waits its result; a caller cancelled meanwhile needs none."""
    for done in waiting:
        if done.done():
            continue
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)


def _append_line(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
