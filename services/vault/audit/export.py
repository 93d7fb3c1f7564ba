"""Parts of the audit log as they are handed out: lines, checkpoint, cosignature and public keys."""

from services.vault.audit.log import AuditLog
from shared.json_types import JsonObject
from shared.tlog import NoteKey


async def export_part(audit: AuditLog, after: int, epoch: int | None = None) -> JsonObject:
    """Return lines after number `after` of a log, by default the one in use, and what they are compared with.

    `checkpoint` is the last note that the vault signed, `cosigned` the last one that the witness cosigned; null where
    there is none. `cut` is a code where lines are missing or changed.
    """
    folder = audit.folder
    await audit.checkpoint()
    chosen = folder.epoch if epoch is None else epoch
    signed, cosigned, cut = folder.signed(chosen), folder.cosigned(chosen), folder.cut(chosen)
    last = cosigned if signed is not None and cosigned is not None and cosigned.is_of(signed) else signed
    witness = audit.witness.key
    return {
        "v": 2,
        "origin": folder.origin(chosen),
        "epoch": chosen,
        "last_epoch": folder.epoch,
        "lines": await audit.lines(after, epoch=chosen),
        "checkpoint": None if last is None else last.note,
        "cosigned": None if cosigned is None else cosigned.note,
        "key": NoteKey(folder.origin(chosen), audit.public_key).vkey,
        "witness_key": None if witness is None else witness.vkey,
        "cut": None if cut is None else cut.reason,
    }


async def list_logs(audit: AuditLog) -> list[JsonObject]:
    """Return all logs of the installation whole, from the first: as `export_part`, with all lines."""
    logs = []
    for epoch in range(1, audit.folder.epoch + 1):
        part = await export_part(audit, 0, epoch)
        lines = list(part["lines"])
        while more := await audit.lines(len(lines), epoch=epoch):
            lines += more
        logs.append({**part, "lines": lines})
    return logs
