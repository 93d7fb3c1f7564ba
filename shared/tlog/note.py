"""Signed notes (C2SP signed-note): a text, a blank line, and signature lines by named keys. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from typing import Final

from shared.encoding import b64url, unb64url
from shared.errors import KujiError
from shared.signing import SigningKey, verify

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
"""Types of keys: Ed25519 over the text of the note, and the cosignature of a witness (tlog-cosignature/v1)."""

_DASH: Final = "\u2014"
_KEY_BYTES: Final = 32
_MOST_SIGNATURES: Final = 64
_LARGEST: Final = 100_000


class NoteError(KujiError):
    """Raised when a text is no note, or a note is not what it should be. The text says what is wrong."""


@dataclass(frozen=True)
class NoteKey:
    """Public key with a name. `kind`: ED25519 or COSIGNATURE. `public`: base64url, as elsewhere."""

    name: str
    public: str
    kind: int = ED25519

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256 over name, LF, type and public key."""
        content = self.name.encode("utf-8") + b"\n" + bytes([self.kind]) + unb64url(self.public)
        return hashlib.sha256(content).digest()[:4]

    @property
    def vkey(self) -> str:
        """Text of the key: name, key id in hex and base64 of type and public key, joined by `+`."""
        material = base64.b64encode(bytes([self.kind]) + unb64url(self.public)).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, vkey: str) -> "NoteKey":
        """Return the key of a text that `vkey` wrote. Raises NoteError."""
        name, _, rest = vkey.strip().partition("+")
        key_id, _, material = rest.partition("+")
        try:
            content = base64.b64decode(material, validate=True)
        except binascii.Error:
            content = b""
        if not name or len(content) != _KEY_BYTES + 1 or content[0] not in {ED25519, COSIGNATURE}:
            raise NoteError("this is no key of a note (name+id+key)")
        key = cls(name, b64url(content[1:]), content[0])
        if key.key_id.hex() != key_id:
            raise NoteError("the id of this key does not fit the key")
        return key


@dataclass(frozen=True)
class SignatureLine:
    """Signature in a note. `content`: what follows the key id."""

    name: str
    key_id: bytes
    content: bytes

    def to_text(self) -> str:
        """Return the line with its LF."""
        return f"{_DASH} {self.name} {base64.b64encode(self.key_id + self.content).decode('ascii')}\n"

    @classmethod
    def parse(cls, line: str) -> "SignatureLine":
        """Return the signature of a line without its LF. Raises NoteError."""
        dash, *fields = line.split(" ")
        try:
            name, text = fields
            content = base64.b64decode(text, validate=True)
        except ValueError:
            raise NoteError("a signature line of the note is damaged") from None
        if dash != _DASH or not name or "+" in name or len(content) <= len(b"keyid"):
            raise NoteError("a signature line of the note is damaged")
        return cls(name, content[:4], content[4:])

    def is_by(self, key: NoteKey) -> bool:
        """Return True if the line names this key; its signature is still to be verified."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True)
class Note:
    """Signed note. `body`: its text, which ends in LF."""

    body: str
    signatures: tuple[SignatureLine, ...]

    @classmethod
    def parse(cls, text: str) -> "Note":
        """Return the note of a text. Raises NoteError for anything else."""
        head, blank, tail = text.rpartition("\n\n")
        lines = tail.split("\n")
        if not blank or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES or len(text) > _LARGEST:
            raise NoteError("this is no signed note")
        if any(character < " " and character != "\n" for character in text):
            raise NoteError("the note holds control characters")
        return cls(head + "\n", tuple(SignatureLine.parse(line) for line in lines))

    @classmethod
    def sign(cls, body: str, key: SigningKey, name: str) -> "Note":
        """Return the note of this text with one Ed25519 signature."""
        known = NoteKey(name, key.public)
        line = SignatureLine(name, known.key_id, unb64url(key.sign(body.encode("utf-8"))))
        return cls(body, (line,))

    def to_text(self) -> str:
        """Return the note as it is written to files and sent."""
        return self.body + "\n" + "".join(line.to_text() for line in self.signatures)

    def with_signature(self, line: SignatureLine) -> "Note":
        """Return the note with one signature more; an older one of the same key goes."""
        others = [one for one in self.signatures if (one.name, one.key_id) != (line.name, line.key_id)]
        return replace(self, signatures=(*others, line))

    def is_signed_by(self, key: NoteKey) -> bool:
        """Return True if the key (of type ED25519) signed the text."""
        return any(
            line.is_by(key) and verify(key.public, self.body.encode("utf-8"), b64url(line.content))
            for line in self.signatures
        )
