"""Check the whole audit log: every line holds the hash of the line before it."""

from dataclasses import dataclass

from services.vault.audit import FIRST, AuditLog, digest, first_break

_BATCH = 1000


@dataclass(frozen=True)
class AuditCheck:
    """Result of a check. `broken_at`: number of the first line that does not follow from the one before it."""

    lines: int
    last_hash: str
    broken_at: int | None


async def check_audit_log(audit: AuditLog) -> AuditCheck:
    """Read the log from its first line, and return what was found."""
    count, before = 0, FIRST
    while lines := await audit.lines(count, _BATCH):
        broken = first_break(lines, before=before)
        if broken is not None:
            return AuditCheck(count + len(lines), before, count + broken + 1)
        count, before = count + len(lines), digest(lines[-1])
    return AuditCheck(count, before, None)
