"""Check and rewrite an outgoing mail. Pure.

One recipient: `To` becomes the real address and `{{kuji:name}}` in text becomes the name. Several: no recipient's
token, name or address may occur anywhere, in any header or decoded part (R-S4). What goes out is built anew from
the subject and the texts, so that nothing else of what came in can leave (`docs/protocols.md` §3).
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime, formataddr, getaddresses
from typing import Any, Final, TypeAlias

from services.vault.mail.relay.naming import names_one_of
from services.vault.mail.relay.pictures import MEDIA_TYPE, Picture, picture_of
from services.vault.mail.relay.recipient import Recipient
from shared.clock import Clock
from shared.errors import KujiError

PLACEHOLDER: Final = "{{kuji:name}}"
_ANY_PLACEHOLDER: Final = "{{kuji:"
_ANY_TOKEN: Final = re.compile(r"tok_[0-9a-hjkmnp-tv-z]{26}", re.IGNORECASE)
_FORBIDDEN: Final = frozenset(
    {"bcc", "cc", "apparently-to", "x-original-to", "delivered-to", "disposition-notification-to", "return-receipt-to"}
)
_OUT: Final = compat32.clone(linesep="\r\n")
"""Older policy of `email`: it takes a third of the newer one's time, and the relay spends most of its time here."""

_UNREADABLE: Final = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)
_KINDS: Final = frozenset({"plain", "html"})
_MOST_PICTURES: Final = 20
"""Number of classes that one person can win (`draw.max_wins`)."""


Letter: TypeAlias = "Message[Any, Any]"


class RefusedMessageError(KujiError):
    """Raised when a message must not leave; `reply` is the SMTP answer, which repeats nothing of it."""

    def __init__(self, why: str) -> None:
        self.reply = f"554 5.6.0 {why}"
        super().__init__(self.reply)


@dataclass(frozen=True)
class Part:
    """Decoded text of the message; `kind` is `plain` or `html`."""

    kind: str
    text: str

    @property
    def readable(self) -> str:
        return html.unescape(self.text) if self.kind == "html" else self.text

    def addressed_to(self, name: str) -> "Part":
        shown = html.escape(name) if self.kind == "html" else name
        return replace(self, text=self.text.replace(PLACEHOLDER, shown))


def rewrite(content: bytes, recipients: Sequence[Recipient], *, envelope_id: str, domain: str, clock: Clock) -> bytes:
    """Return the bytes for the mail server. Raises RefusedMessageError.

    `envelope_id` names notice or batch; Message-ID derives from it, so that a mail sent twice can be told.
    """
    message, headers = _read(content)
    _refuse_forbidden(headers)
    parts, pictures = _leaves(message)
    to = [address for _, address in getaddresses(_values(headers, "to"))]
    office = recipients[0].campaign.office
    if len(recipients) > 1 or to == [office.mail_to]:
        _refuse_pictures(pictures)
        _check_bulk(to, [*_lines(headers), *(part.readable for part in parts)], recipients)
        receiver = office.mail_to
    else:
        _check_single(to, recipients[0])
        parts = [part.addressed_to(recipients[0].name) for part in parts]
        receiver = recipients[0].address or ""
    _refuse_leftovers(headers, parts)
    out = _built(message, parts, pictures)
    out["Subject"] = Header(" ".join("".join(_values(headers, "subject")[:1]).split()), "utf-8")
    out["From"] = formataddr((Header(office.name, "utf-8").encode(), office.mail_from))
    out["To"] = receiver
    out["Date"] = format_datetime(clock.now())
    out["Message-ID"] = f"<{envelope_id}@{domain}>"
    out["Auto-Submitted"] = "auto-generated"
    return out.as_bytes(policy=_OUT)


def _read(content: bytes) -> tuple[Letter, Sequence[tuple[str, str]]]:
    """Return the message, and the decoded headers of all its parts by name (lower case)."""
    try:
        message: Letter = message_from_bytes(content)
        items = [item for part in message.walk() for item in part.raw_items()]
        return message, [(name.lower(), _decoded(str(value))) for name, value in items]
    except _UNREADABLE:
        raise RefusedMessageError("a message that cannot be read") from None


def _decoded(value: str) -> str:
    plain = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return str(make_header(decode_header(plain))) if "=?" in plain else plain


def _values(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value for each, value in headers if each == name]


def _lines(headers: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]


def _refuse_forbidden(headers: Sequence[tuple[str, str]]) -> None:
    if any(name in _FORBIDDEN or name.startswith("resent-") for name, _ in headers):
        raise RefusedMessageError("a header that must not be sent")


def _check_single(to: Sequence[str], recipient: Recipient) -> None:
    if len(to) != 1 or to[0].partition("@")[0] != recipient.token:
        raise RefusedMessageError("To is neither the recipient's token nor the campaign's own address")


def _check_bulk(to: Sequence[str], said: Sequence[str], recipients: Sequence[Recipient]) -> None:
    if to != [recipients[0].campaign.office.mail_to]:
        raise RefusedMessageError("To of a mail to several must be the campaign's own address")
    secrets = [secret for each in recipients for secret in (each.token, each.name, each.address) if secret is not None]
    if names_one_of(secrets, "\n".join(said)):
        raise RefusedMessageError("a mail to several names one of them")


def _refuse_leftovers(headers: Sequence[tuple[str, str]], parts: Sequence[Part]) -> None:
    """Refuse unknown placeholders, and tokens outside `To`, which is replaced."""
    for text in (*(value for name, value in headers if name != "to"), *(part.readable for part in parts)):
        if _ANY_PLACEHOLDER in text:
            raise RefusedMessageError("a placeholder that cannot be filled in here")
        if _ANY_TOKEN.search(text):
            raise RefusedMessageError("a token outside of To")


def _leaves(message: Letter) -> tuple[list[Part], list[Picture]]:
    """Return the decoded texts and passes. Other parts are refused, because a person could be hidden in them."""
    leaves = [part for part in message.walk() if part.get_content_maintype() != "multipart"]
    parts = [_text_of(part) for part in leaves if part.get_content_type() != MEDIA_TYPE]
    pictures = [_picture_of(part) for part in leaves if part.get_content_type() == MEDIA_TYPE]
    if not parts:
        raise RefusedMessageError("no text")
    if len(pictures) > _MOST_PICTURES:
        raise RefusedMessageError("more passes than one person can hold")
    return parts, pictures


def _picture_of(part: Letter) -> Picture:
    try:
        picture = picture_of(part)
    except _UNREADABLE:
        picture = None
    if picture is None:
        raise RefusedMessageError("a part that is said to be a pass and is none")
    return picture


def _refuse_pictures(pictures: Sequence[Picture]) -> None:
    if pictures:
        raise RefusedMessageError("a pass belongs to one recipient")


def _text_of(part: Letter) -> Part:
    kind = part.get_content_subtype()
    if part.get_content_maintype() != "text" or kind not in _KINDS or part.get_content_disposition() == "attachment":
        raise RefusedMessageError("only text can be sent")
    try:
        payload = part.get_payload(decode=True)
        text = bytes(payload).decode(part.get_content_charset("us-ascii"), "strict")
    except _UNREADABLE:
        raise RefusedMessageError("a part whose text cannot be read") from None
    return Part(kind, text.replace("\r\n", "\n"))


def _built(message: Letter, parts: Sequence[Part], pictures: Sequence[Picture]) -> Letter:
    """Return a new message of the texts (UTF-8, base64) and the passes as pictures, and nothing else."""
    leaves: list[Letter] = [MIMEText(part.text.replace("\n", "\r\n"), part.kind, "utf-8") for part in parts]
    leaves += [picture.drawn() for picture in pictures]
    if len(leaves) == 1:
        return leaves[0]
    alternative = message.get_content_subtype() == "alternative" and not pictures
    out: Letter = MIMEMultipart("alternative" if alternative else "mixed")
    for leaf in leaves:
        out.attach(leaf)
    return out
