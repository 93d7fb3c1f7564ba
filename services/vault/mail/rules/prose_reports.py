"""Read reports without fields of RFC 3464: prose of many mailers, vacation replies, letters of people. Pure.

`flufl.bounce` gets a plain message of decoded, cut lines: it decodes nothing itself, and its expressions take
quadratic time in the length of a line.
"""

import contextlib
import re
from collections.abc import Callable, Sequence
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, Final, Literal, TypeAlias, TypeVar

from flufl.bounce import all_failures

Part: TypeAlias = "Message[Any, Any]"
ReadingT = TypeVar("ReadingT")

_LINES: Final = 400
_LINE: Final = 300
_CHARSETS: Final = ("utf-8", "iso-2022-jp", "cp932", "euc_jp")
_HEADERS: Final = ("From", "Subject", "X-Failed-Recipients", "To", "Reply-To")
_DAEMON: Final = re.compile(r"mailer-?daemon|postmaster|mail delivery|メール配送", re.IGNORECASE)
_SUBJECT: Final = re.compile(
    r"undeliver|returned mail|return(?:ed)? to sender|failure|failed|delivery status|could not be|rejected"
    r"|不達|配信不能|配信できません|送信できません|届きません|エラー|返送",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])|(?<![\d.])55[0-4][ -]|user unknown|unknown user|no such user"
    r"|host unknown"
    r"|mailbox (?:is )?full|permanent|宛先.{0,20}(?:見つかり|存在)|存在しません|届けられません"
    r"|送信できませんでした|不達",
    re.IGNORECASE,
)
_AWAY: Final = re.compile(
    r"自動返信|自動応答|不在|out of (?:the )?office|automatic reply|auto.?reply|vacation", re.IGNORECASE
)
_STATUS: Final = re.compile(r"(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.])")


def read_prose(
    message: Part,
    parts: Sequence[Part],
    reading: Callable[[Literal["bounced", "unclear", "silent"], str], ReadingT],
    *,
    is_null: bool,
) -> ReadingT:
    """Return the verdict on a mail without a readable status part.

    A vacation reply is silent only with the header of RFC 3834 and without any sign of a failure.
    """
    lines = _lines(parts)
    text, subject = "\n".join(lines), _header(message, "Subject")
    status = found[1] if (found := _STATUS.search(text)) else "5.0.0"
    temporary, permanent = _scan(message, lines)
    is_daemon = _DAEMON.search(_header(message, "From")) is not None
    is_final = bool(permanent) or _FINAL.search(text) is not None
    if permanent or (is_final and (is_null or is_daemon)):
        return reading("bounced", status)
    if temporary:
        return reading("silent", status)
    is_failure = is_daemon or _SUBJECT.search(subject) is not None or "X-Failed-Recipients" in message
    if _header(message, "Auto-Submitted").lower().startswith("auto-replied") and not is_failure:
        return reading("silent", status)
    if is_failure or (is_null and not _AWAY.search(f"{subject}\n{text[:500]}")):
        return reading("bounced", status)
    return reading("unclear", status)


def _scan(message: Part, lines: Sequence[str]) -> tuple[bool, bool]:
    """Return whether `flufl.bounce` finds a temporary and a permanent failure; it may raise for odd mail."""
    plain: Part = Message()
    for name in _HEADERS:
        if name in message:
            plain[name] = _header(message, name)
    plain.set_payload("\n".join(lines))
    try:
        temporary, permanent = all_failures(plain)
    except Exception:  # noqa: BLE001  (seventeen detectors, each with errors of its own)
        return False, False
    return bool(temporary), bool(permanent)


def _lines(parts: Sequence[Part]) -> list[str]:
    texts = [_decode(part) for part in parts if part.get_content_maintype() == "text"]
    return [line.rstrip()[:_LINE] for line in "\n".join(texts).splitlines()[:_LINES]]


def _decode(part: Part) -> str:
    """Return the text of a part in its own charset, else in one of those that mailers in Japan use."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    names = (str(part.get_content_charset("us-ascii")), *_CHARSETS)
    for name in ("iso-2022-jp", *names) if b"\x1b$" in payload else names:
        try:
            return payload.decode(name)
        except (LookupError, ValueError):
            continue
    return payload.decode("utf-8", "replace")


def _header(message: Part, name: str) -> str:
    """Return the decoded header in one line, cut."""
    value = str(message.get(name, ""))[:2000]
    with contextlib.suppress(LookupError, ValueError):
        value = str(make_header(decode_header(value)))
    return " ".join(value.encode("utf-8", "replace").decode("utf-8").split())[:_LINE]
