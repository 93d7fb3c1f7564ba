"""Write each decryption into a hash-chained log before its plaintext is used (R-C7)."""

from services.vault.audit.chain import FIRST, AuditEvent, digest, first_break
from services.vault.audit.log import CHECKPOINT_EVENTS, CHECKPOINT_S, AuditLog, NotRecordedError
from services.vault.audit.repository import COLLECTION, collections

__all__ = [
    "CHECKPOINT_EVENTS",
    "CHECKPOINT_S",
    "COLLECTION",
    "FIRST",
    "AuditEvent",
    "AuditLog",
    "NotRecordedError",
    "collections",
    "digest",
    "first_break",
]
