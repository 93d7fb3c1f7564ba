"""The audit log: every decryption is written down, chained and durable, before its plaintext goes anywhere.

`docs/protocols.md` §6: one line per event, canonical JSON, each holding the SHA-256 (hex) of the line before it
(64 zeros for the first). Several vault processes write one chain: the sequence number is the document's id, so of two
writers one loses, reads the new end and tries again. Checkpoints go to a second place, signed.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.canonical import canonical
from shared.clock import Clock
from shared.errors import TransientError
from shared.ids import CampaignId
from shared.logging import describe, get_logger
from shared.signing import SigningKey
from shared.storage import BulkWriteError, Collection, PyMongoError, Store

COLLECTION = "audit"
FIRST = "0" * 64
CHECKPOINT_EVENTS = 1000
CHECKPOINT_S = 60.0
_ATTEMPTS = 50

_log = get_logger(__name__)


class NotRecordedError(TransientError):
    """The line could not be made durable, so the plaintext it speaks of stays where it is."""


@dataclass(frozen=True)
class AuditEvent:
    """Who did what to whose data, and why. `subject` is an HMAC; None where no single person is concerned."""

    actor: str
    role: str
    action: str
    purpose: str
    campaign: CampaignId
    subject: str | None
    outcome: str


@dataclass(frozen=True)
class _End:
    """The last line written: its number and the hash that the next one holds."""

    seq: int
    digest: str


def collections() -> list[Collection]:
    schema = {
        "bsonType": "object",
        "required": ["_id", "line"],
        "properties": {"_id": {"bsonType": "int"}, "line": {"bsonType": "string"}},
        "additionalProperties": False,
    }
    return [Collection(COLLECTION, schema)]


class AuditLog:
    """Appends in groups: whoever comes while a write is under way goes with the next one."""

    def __init__(self, store: Store, signing: SigningKey, clock: Clock, checkpoints: Path) -> None:
        self._lines = store.db[COLLECTION]
        self._signing, self._clock, self._checkpoints = signing, clock, checkpoints
        self._waiting: list[tuple[Sequence[AuditEvent], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._end: _End | None = None
        self._checked = 0
        self._checkpoint_due = asyncio.Event()

    async def record(self, events: Sequence[AuditEvent]) -> None:
        """Returns when all lines are durable. Raises NotRecordedError; then none of them may be acted upon."""
        if not events:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="audit log")
        await done

    async def _write_waiting(self) -> None:
        """A task of its own: a caller that is cancelled takes nobody else's lines with it."""
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
                _settle([done for _, done in group], failure)
        if self._end is not None and self._end.seq - self._checked >= CHECKPOINT_EVENTS:
            self._checkpoint_due.set()

    async def _append(self, events: Sequence[AuditEvent]) -> None:
        at = self._clock.now().isoformat()
        for attempt in range(_ATTEMPTS):
            end = self._end or await self._read_end()
            documents, after = _chain(events, end, at)
            try:
                await self._lines.insert_many(documents, ordered=True)
            except BulkWriteError as error:
                self._end = None
                events = events[(error.details or {}).get("nInserted", 0) :]
                await asyncio.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311  (spreads rivals)
                continue
            self._end = after
            return
        raise NotRecordedError("other writers were always faster")

    async def _read_end(self) -> _End:
        last = await self._lines.find_one(sort=[("_id", -1)])
        return _End(0, FIRST) if last is None else _End(last["_id"], digest(last["line"]))

    async def checkpoint(self) -> dict[str, Any] | None:
        """Sign the end of the chain into the second place; None where nothing was ever written."""
        end = await self._read_end()
        if end.seq == 0:
            return None
        signed = self._signing.sign_document(
            {"v": 1, "seq": end.seq, "hash": end.digest, "at": self._clock.now().isoformat()}
        )
        if end.seq != self._checked:
            await asyncio.to_thread(_append_line, self._checkpoints, canonical(signed))
            self._checked = end.seq
        return signed

    async def keep_checking(self) -> None:
        """Write a checkpoint every minute or every thousand lines, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._checkpoint_due.wait(), CHECKPOINT_S)
            self._checkpoint_due.clear()
            try:
                await self.checkpoint()
            except (PyMongoError, OSError) as error:
                _log.warning("checkpoint-not-written", **describe(error))

    async def lines(self, after: int, limit: int = 1000) -> list[str]:
        """The lines that follow number `after`, as they were written."""
        return [
            document["line"] async for document in self._lines.find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        ]


def _settle(waiting: Sequence[asyncio.Future[None]], failure: NotRecordedError | None) -> None:
    """Tell those who still wait; somebody cancelled meanwhile does not."""
    for done in waiting:
        if done.done():
            continue
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)


def digest(line: str) -> str:
    return hashlib.sha256(line.encode("utf-8")).hexdigest()


def first_break(lines: Sequence[str], *, before: str = FIRST) -> int | None:
    """The index of the first line that does not follow from the one before it; None where the chain holds.

    `before`: the hash that the first line must hold (of the line before it, or 64 zeros).
    """
    expected, seq = before, None
    for index, line in enumerate(lines):
        content = json.loads(line)
        in_order = seq is None or content["seq"] == seq + 1
        if content["prev"] != expected or not in_order or canonical(content) != line.encode("utf-8"):
            return index
        expected, seq = digest(line), content["seq"]
    return None


def _chain(events: Sequence[AuditEvent], end: _End, at: str) -> tuple[list[dict[str, Any]], _End]:
    documents = []
    for event in events:
        line = canonical(
            {
                "v": 1,
                "seq": end.seq + 1,
                "at": at,
                "actor": event.actor,
                "role": event.role,
                "action": event.action,
                "purpose": event.purpose,
                "campaign": event.campaign,
                "subject": event.subject,
                "outcome": event.outcome,
                "prev": end.digest,
            }
        ).decode("utf-8")
        end = _End(end.seq + 1, digest(line))
        documents.append({"_id": end.seq, "line": line})
    return documents, end


def _append_line(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
