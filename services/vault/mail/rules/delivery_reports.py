"""Decide what came to a bounce address: a final failure, something silent, or mail that a person must read. Pure.

Order: fields of RFC 3464, read leniently (`status_fields.py`); the prose of many mailers (`prose_reports.py`); then
the bounce address itself, which names one notice. Addresses in a report are never used: whatever mailbox it names,
the envelope says which notice came back. Nothing but the status code leaves this module.
"""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from typing import Final

from services.vault.mail.rules import prose_reports
from services.vault.mail.rules.reading import Reading
from services.vault.mail.rules.report_text import Part, decode_part, is_returned_mail, own_parts
from services.vault.mail.rules.status_fields import has_recipient_fields, read_fields

READ_BYTES: Final = 256 * 1024
_MOST_BOUNDARIES: Final = 60
_STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DISPOSITION_TYPES: Final = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_BLANK_LINES: Final = re.compile(rb"\n{3,}")
"""`email` makes an object of each blank line of a status part."""
_BY_LINE: Final = re.IGNORECASE | re.MULTILINE
_ARRIVED: Final = re.compile(r"^[ \t]*disposition[ \t]*:[^;\n]*;\s*(?:displayed|processed|dispatched)\s*$", _BY_LINE)


def read_report(content: bytes, sender: str | None) -> Reading:
    """Return what the mail means for the notice of its bounce address. `sender`: the envelope sender, null for reports.

    Never raises: what cannot be parsed is `bounced` with a null sender and `unclear` otherwise.
    """
    origin = "" if sender in {None, "<>"} else str(sender)
    head = _BLANK_LINES.sub(b"\n\n", content[:READ_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    try:
        reading = _read(head, origin)
    except Exception:  # noqa: BLE001  (`email` and `flufl.bounce` raise many types for damaged mail)
        return _by_sender(origin)
    is_cut = reading.verdict == "silent" and len(content) > READ_BYTES
    return Reading("unclear") if is_cut and not _is_whole(head) else reading


def _by_sender(sender: str) -> Reading:
    return Reading("unclear" if sender else "bounced")


def _read(content: bytes, sender: str) -> Reading:
    if content.lower().count(b"boundary") > _MOST_BOUNDARIES:
        return _by_sender(sender)
    message: Part = message_from_bytes(content)
    parts = list(own_parts(message))
    if _is_complaint(message, parts):
        return Reading("silent")
    if (disposition := _disposition(message, parts)) is not None:
        return Reading("silent") if _ARRIVED.search(disposition) else prose_reports.read_rejection(message, parts)
    return _read_status(message, parts, content) or prose_reports.read_prose(message, parts, sender)


def _read_status(message: Part, parts: Sequence[Part], content: bytes) -> Reading | None:
    """Read the fields of the status parts: the mail's own, else those of a report that it forwards, else bare fields.

    Bare fields stand in the text where a mailer knows no parts, or where the boundary is not the announced one.
    """
    for candidates in (parts, list(own_parts(message, is_nested=True))):
        texts = status_texts(candidates)
        if texts and (reading := read_fields("\n\n".join(texts))):
            return reading
    is_unparsed = message.get_content_maintype() == "multipart" and not message.is_multipart()
    bare = content.decode("utf-8", "replace") if is_unparsed else _texts(parts)
    return read_fields(bare) if has_recipient_fields(bare) else None


def status_texts(parts: Sequence[Part]) -> list[str]:
    """Return the fields of each status part as text."""
    return [_status_text(part) for part in parts if part.get_content_type() in _STATUS_TYPES]


def _texts(parts: Sequence[Part]) -> str:
    return "\n\n".join(decode_part(part) for part in parts if part.get_content_maintype() == "text")


def _is_whole(head: bytes) -> bool:
    """Return True if the end of a cut mail lies in the mail that it returns, so that all of its own parts were read."""
    last = list(own_parts(message_from_bytes(head)))[-1]
    return is_returned_mail(last)


def _is_complaint(message: Part, parts: Sequence[Part]) -> bool:
    """Return True for a complaint about spam (ARF, RFC 5965)."""
    kind = str(message.get_param("report-type", "")).lower()
    return kind == "feedback-report" or any(part.get_content_type() == "message/feedback-report" for part in parts)


def _disposition(message: Part, parts: Sequence[Part]) -> str | None:
    """Return the fields of a disposition notification (RFC 8098); None for other mail.

    `displayed`, `processed` and `dispatched` say that the mail arrived; all else, such as `deleted`, may be a refusal.
    """
    texts = [_status_text(part) for part in parts if part.get_content_type() in _DISPOSITION_TYPES]
    if texts:
        return "\n\n".join(texts)
    return "" if str(message.get_param("report-type", "")).lower() == "disposition-notification" else None


def _status_text(part: Part) -> str:
    """Return the status part as text, whatever its transfer encoding; blocks are separated by blank lines."""
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = [block for block in payload if isinstance(block, Message)]
        if part.get("Content-Transfer-Encoding", "").strip().lower() not in {"base64", "quoted-printable"}:
            return "\n\n".join(f"{_fields(block)}\n{_body(block)}" for block in blocks)
        text = "\n\n".join(block.as_string() for block in blocks)
        bare: Part = Message()
        bare["Content-Transfer-Encoding"] = str(part["Content-Transfer-Encoding"])
        bare.set_payload(text)
        return _body(bare)
    return _body(part)


def _fields(block: Part) -> str:
    return "\n".join(f"{name}: {' '.join(str(value).split())}" for name, value in block.items())


def _body(part: Part) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace").replace("\r\n", "\n") if isinstance(payload, bytes) else ""
