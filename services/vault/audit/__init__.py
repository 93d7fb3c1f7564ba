"""Write each decryption into a log that only grows, before its plaintext is used (R-C7; docs/protocols.md §6)."""

from services.vault.audit.lines import AuditEvent
from services.vault.audit.log import CHECKPOINT_EVENTS, CHECKPOINT_S, AuditLog, NotRecordedError
from services.vault.audit.new_log import NotCutError
from services.vault.audit.repository import COLLECTION, DATABASE
from services.vault.audit.witness import NO_WITNESS, Witness

__all__ = [
    "CHECKPOINT_EVENTS",
    "CHECKPOINT_S",
    "COLLECTION",
    "DATABASE",
    "NO_WITNESS",
    "AuditEvent",
    "AuditLog",
    "NotCutError",
    "NotRecordedError",
    "Witness",
]
