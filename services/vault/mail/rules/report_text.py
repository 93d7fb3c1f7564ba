"""Parts, decoded text and headers of a mail, without the mail that it returns. Pure."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from email.header import decode_header, make_header
from email.message import Message
from html import unescape
from typing import Any, Final, TypeAlias

Part: TypeAlias = "Message[Any, Any]"

_MOST_PARTS: Final = 100
_LINES: Final = 400
_LINE: Final = 300
_MARKUP_CHARACTERS: Final = 60_000
_RETURNED_TYPES: Final = frozenset({"message/rfc822", "message/global", "text/rfc822-headers"})
_CHARSETS: Final = ("utf-8", "iso-2022-jp", "cp932", "euc_jp")
_MARKUP: Final = re.compile(r"<style\b.{0,5000}?</style>|<[a-z/!][^<>]{0,500}>", re.IGNORECASE | re.DOTALL)
_LINE_BREAKS: Final = re.compile(r"<(?:br|/p|/div|/tr|/h\d|/li)\b[^<>]{0,200}>", re.IGNORECASE)
_RETURNED: Final = re.compile(
    r"[\s>*-]*(?:-{2,}.{0,20}below this line|.{0,40}copy of (?:the|your) message"
    r"|.{0,40}(?:original|unsent|returned|source|your) (?:message|mail)(?: headers?)?"
    r"(?: attached| follows?)?[\s.:>*-]*$"
    r"|-+ ?(?:forwarded|message headers?) .{0,30}$|[-—=＝ー]*\s*(?:元の|送信された)(?:メール|メッセージ)|.{0,10}原文)",
    re.IGNORECASE,
)
"""Line that begins the returned mail in a report without parts."""


def own_parts(message: Part, *, is_nested: bool = False) -> Iterator[Part]:
    """Yield the parts of the mail itself; with `is_nested`, also those of mails within it."""
    pending = [message]
    for _ in range(_MOST_PARTS):
        if not pending:
            return
        part = pending.pop(0)
        yield part
        payload = part.get_payload()
        is_opened = part.get_content_maintype() == "multipart" or (is_nested and is_returned_mail(part))
        if is_opened and isinstance(payload, list):
            pending[:0] = [child for child in payload if isinstance(child, Message)]


def is_returned_mail(part: Part) -> bool:
    """Return True for the part of a report that holds the mail which it is about."""
    return part.get_content_type() in _RETURNED_TYPES


def text_lines(parts: Iterable[Part]) -> list[str]:
    """Return the first lines of the text parts, cut; markup is removed."""
    texts = [decode_part(part) for part in parts if part.get_content_maintype() == "text"]
    return [line.rstrip()[:_LINE] for line in "\n".join(texts).splitlines()[:_LINES]]


def without_returned_mail(lines: Sequence[str]) -> list[str]:
    """Return the lines before the returned mail, without quoted lines."""
    written = [line for line in lines if not line.lstrip().startswith((">", "＞"))]
    begin = next((at for at, line in enumerate(written) if _RETURNED.match(line)), len(written))
    return written[:begin] if any(line.strip() for line in written[:begin]) else written


def decode_part(part: Part) -> str:
    """Return the text of a part in its own charset, else in one of those that mailers in Japan use."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = _decode(payload, str(part.get_content_charset("us-ascii")))
    if part.get_content_subtype() != "html":
        return text
    return unescape(_MARKUP.sub(" ", _LINE_BREAKS.sub("\n", text[:_MARKUP_CHARACTERS])))


def _decode(payload: bytes, charset: str) -> str:
    names = (charset, *_CHARSETS)
    for name in ("iso-2022-jp", *names) if b"\x1b$" in payload else names:
        with contextlib.suppress(LookupError, ValueError):
            return payload.decode(name)
    return payload.decode("utf-8", "replace")


def header(message: Part, name: str) -> str:
    """Return the decoded header in one line, cut."""
    value = str(message.get(name, ""))[:2000]
    with contextlib.suppress(LookupError, ValueError):
        value = str(make_header(decode_header(value)))
    return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())[:_LINE]
