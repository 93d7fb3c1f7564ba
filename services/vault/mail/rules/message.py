"""Build the bytes of one mail: text/plain in UTF-8, and the passes as pictures. Pure.

Written by hand because `email` takes a millisecond for each mail. Every body is base64, so no line is long, begins with
a point or holds anything but ASCII; header values are encoded words or checked to be plain.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

_WORD_BYTES: Final = 45
"""Bytes of UTF-8 in one encoded word, which then has 72 characters (RFC 2047: 75 at most)."""

_PLAIN: Final = re.compile(r"[\x21-\x7e]+")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Picture:
    """Attached PNG."""

    filename: str
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """Parts of one mail. `to` is the receiver, or the office for an announcement in BCC."""

    office: str
    sender: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    message_id: str
    date: datetime
    pictures: Sequence[Picture] = field(default=(), repr=False)


def build_message(mail: Mail) -> bytes:
    """Return the message with CRLF line ends. Raises ValueError for an address that no header may hold."""
    head = (
        f"Subject: {encode_words(mail.subject)}\r\n"
        f"From: {encode_words(mail.office)} <{_checked(mail.sender)}>\r\n"
        f"To: {_checked(mail.to)}\r\n"
        f"Date: {format_datetime(mail.date)}\r\n"
        f"Message-ID: <{_checked(mail.message_id)}>\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
    ).encode("ascii")
    text = _text_part(mail.body)
    if not mail.pictures:
        return head + text
    boundary = f"=_{mail.message_id.partition('@')[0]}".encode("ascii")
    parts = b"".join(b"--%b\r\n%b" % (boundary, part) for part in (text, *map(_picture_part, mail.pictures)))
    return b'%bContent-Type: multipart/mixed; boundary="%b"\r\n\r\n%b--%b--\r\n' % (head, boundary, parts, boundary)


@lru_cache(maxsize=512)
def encode_words(text: str) -> str:
    """Return the text as encoded words (RFC 2047), folded; control characters become a space."""
    plain = _CONTROLS.sub(" ", text).strip()
    words, word = [], b""
    for character in plain:
        encoded = character.encode("utf-8", "replace")
        if len(word) + len(encoded) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += encoded
    words.append(word)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode('ascii')}?=" for word in words)


def _checked(value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise ValueError("not fit for a header")
    return value


def _text_part(body: str) -> bytes:
    lines = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
    content = _base64(lines.replace("\n", "\r\n").encode("utf-8", "replace"))
    return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + content


def _picture_part(picture: Picture) -> bytes:
    return (
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="%b"\r\n\r\n%b'
        % (_checked(picture.filename).encode("ascii"), _base64(picture.png))
    )


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
