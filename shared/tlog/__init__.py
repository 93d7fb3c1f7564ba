"""Transparency log of RFC 6962 with the notes of C2SP: tree, proofs, checkpoints, cosignatures. Pure."""

from shared.tlog.checkpoint import Checkpoint, read_body, read_checkpoint, sign_checkpoint, write_body
from shared.tlog.cosignature import cosign, read_cosignature
from shared.tlog.note import COSIGNATURE, ED25519, Note, NoteError, NoteKey, SignatureLine
from shared.tlog.tree import Frontier, is_consistent, prove_consistency

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "Checkpoint",
    "Frontier",
    "Note",
    "NoteError",
    "NoteKey",
    "SignatureLine",
    "cosign",
    "is_consistent",
    "prove_consistency",
    "read_body",
    "read_checkpoint",
    "read_cosignature",
    "sign_checkpoint",
    "write_body",
]
