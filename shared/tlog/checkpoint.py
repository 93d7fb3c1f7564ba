"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log as a signed note. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.signing import SigningKey
from shared.tlog.note import Note, NoteError, NoteKey

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_ROOT_BYTES: Final = 32


@dataclass(frozen=True)
class Checkpoint:
    """State of a log: `root` (32 bytes) of the tree of its first `size` leaves."""

    origin: str
    size: int
    root: bytes


def write_body(checkpoint: Checkpoint) -> str:
    """Return the text that is signed."""
    root = base64.b64encode(checkpoint.root).decode("ascii")
    return f"{checkpoint.origin}\n{checkpoint.size}\n{root}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Note:
    """Return the checkpoint as a note; the key's name is the origin."""
    return Note.sign(write_body(checkpoint), key, checkpoint.origin)


def read_checkpoint(note: Note, public_keys: Iterable[str]) -> Checkpoint:
    """Return the checkpoint of a note that one of the log's keys (base64url) signed. Raises NoteError."""
    checkpoint = read_body(note.body)
    if not any(note.is_signed_by(NoteKey(checkpoint.origin, public)) for public in public_keys):
        raise NoteError("the checkpoint is not signed by a key of the log")
    return checkpoint


def read_body(body: str) -> Checkpoint:
    """Return the checkpoint of a text, whoever signed it. Raises NoteError for a text that is none."""
    origin, *rest = body.split("\n")
    try:
        size, root, *_ = rest
        content = base64.b64decode(root, validate=True)
    except (ValueError, binascii.Error):
        raise NoteError("the note is no checkpoint") from None
    if not origin or not _SIZE.fullmatch(size) or len(content) != _ROOT_BYTES:
        raise NoteError("the note is no checkpoint")
    return Checkpoint(origin, int(size), content)
