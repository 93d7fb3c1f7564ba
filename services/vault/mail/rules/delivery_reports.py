"""Decide what came to a bounce address: a final failure, something silent, or mail that a person must read. Pure.

Order: fields of RFC 3464, read leniently; the prose of many mailers (`flufl.bounce`, `prose_reports.py`); then the
bounce address itself, which names one notice. Addresses in a report are never used: whatever mailbox it names, the
envelope says which notice came back. Nothing but the status code leaves this module.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any, Final, Literal, TypeAlias

from services.vault.mail.rules import prose_reports

Verdict: TypeAlias = Literal["bounced", "unclear", "silent"]
Part: TypeAlias = "Message[Any, Any]"

UNDEFINED: Final = "5.0.0"
_READ_BYTES: Final = 256 * 1024
_MOST_PARTS: Final = 100
_MOST_BOUNDARIES: Final = 60
_STATUS_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_STATUS: Final = re.compile(r"(?<![\d.])([245])[.,]\s?(\d{1,3})[.,]\s?(\d{1,3})(?![\d.])")
_ACTION: Final = re.compile(r"^[ \t]*(?:a?ction)[ \t]*[:;][ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_STATUS_FIELD: Final = re.compile(r"^[ \t]*s?tatus[ \t]*[:;][ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_DIAGNOSTIC: Final = re.compile(r"^[ \t]*diagnostic-code[ \t]*[:;][ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_RECIPIENT: Final = re.compile(r"^[ \t]*(?:original|final)-recipient[ \t]*[:;]", re.IGNORECASE | re.MULTILINE)
_FAILED: Final = re.compile(
    r"\W*(?:fail|expire|error|undeliver|reject|bounce|refuse|return|abort|不達|失敗)", re.IGNORECASE
)
_GOING_ON: Final = re.compile(r"\W*(?:delay|deliver|relay|expand|queue|warning|transient|success)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """Verdict on one mail, with the status code (RFC 3463) of a failure."""

    verdict: Verdict
    status: str = UNDEFINED


def read_report(content: bytes, sender: str | None) -> Reading:
    """Return what the mail means for the notice of its bounce address. `sender`: the envelope sender, null for reports.

    Never raises: what cannot be parsed is `bounced` with a null sender and `unclear` otherwise.
    """
    is_null = sender in {None, "", "<>"}
    try:
        return _read(content[:_READ_BYTES], is_null=is_null)
    except Exception:  # noqa: BLE001  (`email` and `flufl.bounce` raise many types for damaged mail)
        return Reading("bounced" if is_null else "unclear")


def _read(content: bytes, *, is_null: bool) -> Reading:
    if content.lower().count(b"boundary") > _MOST_BOUNDARIES:
        return Reading("bounced" if is_null else "unclear")
    message: Part = message_from_bytes(content)
    parts = list(_own_parts(message))
    if _is_complaint(message, parts):
        return Reading("silent")
    return _read_fields(
        "\n\n".join(_status_text(part) for part in parts if part.get_content_type() in _STATUS_TYPES)
    ) or prose_reports.read_prose(message, parts, Reading, is_null=is_null)


def _own_parts(message: Part) -> Iterator[Part]:
    """Yield the parts of the report itself, not those of the mail that it returns."""
    pending = [message]
    for _ in range(_MOST_PARTS):
        if not pending:
            return
        part = pending.pop(0)
        yield part
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            pending[:0] = [child for child in payload if isinstance(child, Message)]


def _is_complaint(message: Part, parts: list[Part]) -> bool:
    """Return True for a complaint about spam (ARF, RFC 5965)."""
    kind = str(message.get_param("report-type", "")).lower()
    return kind == "feedback-report" or any(part.get_content_type() == "message/feedback-report" for part in parts)


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


def _read_fields(text: str) -> Reading | None:
    """Return the worst verdict of the recipients' groups; None where the fields decide nothing.

    A group begins with an address or a second Action, not with a blank line: some mailers put one between fields.
    A failed 4.x.x was given up, so it is as final as a 5.x.x (RFC 3464 §2.3.3).
    """
    actions = _ACTION.findall(text)
    status = next((code for field in _STATUS_FIELD.findall(text) if (code := _code(field))), None)
    status = status or next((code for field in _DIAGNOSTIC.findall(text) if (code := _code(field))), None)
    all_codes = [code for field in _STATUS_FIELD.findall(text) if (code := _code(field))]
    failed_codes = [code for code in all_codes if not code.startswith("2")]
    if any(_FAILED.match(action) for action in actions):
        return Reading("bounced", _pick(failed_codes, status))
    if any(code.startswith("5") for code in all_codes):
        return Reading("bounced", next(code for code in all_codes if code.startswith("5")))
    if actions and all(_GOING_ON.match(action) for action in actions):
        return Reading("silent")
    if not actions and all_codes and all(code.startswith("2") for code in all_codes):
        return Reading("silent")
    if actions or all_codes or _RECIPIENT.search(text):
        return Reading("bounced", _pick(failed_codes, status))
    return None


def _pick(codes: list[str], status: str | None) -> str:
    """Return a 5.x.x if there is one, else the first failure code, else the undefined status."""
    ordered = sorted(codes, key=lambda code: not code.startswith("5"))
    fallback = status if status and not status.startswith("2") else UNDEFINED
    return ordered[0] if ordered else fallback


def _code(text: str) -> str | None:
    found = _STATUS.search(text)
    return f"{found[1]}.{found[2]}.{found[3]}" if found else None
