"""Challenge that a passkey signs for one approval of one person (docs/protocols.md §9). Pure."""

import hashlib
from typing import Final

from shared.approvals.document import CONTEXT, ApprovalContent

NONCE_BYTES: Final = 32


def make_challenge(content: ApprovalContent, person: str, nonce: bytes) -> bytes:
    """Return SHA-256 of context, document, person and the server's 32 bytes, with 0x00 between them."""
    parts = (CONTEXT.encode("ascii"), content.to_bytes(), person.encode("ascii"), nonce)
    return hashlib.sha256(b"\x00".join(parts)).digest()
