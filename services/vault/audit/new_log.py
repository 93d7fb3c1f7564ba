"""Open the next log after one that was cut: its first line holds the old checkpoint and what was left of the lines."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.vault.audit.folder import CheckpointFolder
from services.vault.audit.lines import AuditEvent, write_lines
from services.vault.audit.repository import AuditRepository
from shared.errors import KujiError
from shared.logging import get_logger
from shared.tlog import Frontier

_MOST_SKIPPED: Final = 100

_log = get_logger(__name__)


class NotCutError(KujiError):
    """Raised when a new log is asked for although the one in use is whole, or another process opened it before."""


async def open_new_log(repository: AuditRepository, folder: CheckpointFolder, event: AuditEvent, at: datetime) -> int:
    """Write the first line of the next log and let all processes use it. Return its number.

    A number under which lines lie already, inserted with the vault's database user, is passed over. Raises NotCutError.
    """
    async with folder.locked():
        old = folder.epoch
        cut, signed = folder.cut(old), folder.signed(old)
        if cut is None:
            raise NotCutError("the audit log is whole; nothing was opened")
        left = Frontier()
        async for lines in repository.read(old, 0):
            for line in lines:
                left.append_text(line.text)
        previous = {
            "checkpoint": None if signed is None else signed.note,
            "reason": cut.reason,
            "lines": left.size,
            "root": left.root().hex(),
        }
        for epoch in range(old + 1, old + 1 + _MOST_SKIPPED):
            first = write_lines([replace(event, previous=previous)], 0, at.isoformat())
            if await repository.end(epoch) == 0 and await repository.append(epoch, first):
                folder.open_epoch(epoch)
                _log.warning("audit-log-opened", seq=epoch, count=left.size)
                return epoch
        raise NotCutError("each number of a next log is taken; ask an engineer to look at the database")
