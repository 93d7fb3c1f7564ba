"""Cosignatures of witnesses (C2SP tlog-cosignature/v1): a time and a signature over time and checkpoint. Pure."""

from datetime import UTC, datetime
from typing import Final

from shared.encoding import b64url, unb64url
from shared.signing import SigningKey, verify
from shared.tlog.note import COSIGNATURE, Note, NoteError, NoteKey, SignatureLine

_TIME_BYTES: Final = 8


def cosign(body: str, key: SigningKey, name: str, at: datetime) -> SignatureLine:
    """Return the line with which the witness called `name` says that it saw the checkpoint `body`."""
    seconds = int(at.timestamp())
    signature = unb64url(key.sign(_message(body, seconds)))
    known = NoteKey(name, key.public, COSIGNATURE)
    return SignatureLine(name, known.key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def read_cosignature(note: Note, witness: NoteKey) -> datetime:
    """Return when the witness saw the checkpoint. Raises NoteError if it did not sign, or another text."""
    for line in note.signatures:
        if line.is_by(witness) and len(line.content) > _TIME_BYTES:
            seconds = int.from_bytes(line.content[:_TIME_BYTES], "big")
            if verify(witness.public, _message(note.body, seconds), b64url(line.content[_TIME_BYTES:])):
                return _time(seconds)
            raise NoteError("the cosignature of the witness does not fit the checkpoint")
    raise NoteError("the witness did not cosign this checkpoint")


def _message(body: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise NoteError("the cosignature names an impossible time") from None
