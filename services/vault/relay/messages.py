"""What may leave in a mail, and how it is made on the way. Pure.

One recipient: `To` becomes the real address and `{{kuji:name}}` in text becomes the name. Several: no recipient's
token, name or address may occur anywhere, in any header or decoded part (R-S4). What goes out is built anew from
the subject and the texts, so that nothing else of what came in can leave (`docs/protocols.md` §3).
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Final

from services.vault.relay.naming import names_one_of
from services.vault.relay.recipient import Recipient
from shared.clock import Clock
from shared.errors import KujiError

PLACEHOLDER: Final = "{{kuji:name}}"
_ANY_PLACEHOLDER: Final = "{{kuji:"
_ANY_TOKEN: Final = re.compile(r"tok_[0-9a-hjkmnp-tv-z]{26}", re.IGNORECASE)
_FORBIDDEN: Final = frozenset(
    {"bcc", "cc", "apparently-to", "x-original-to", "delivered-to", "disposition-notification-to", "return-receipt-to"}
)
_IN: Final = policy.SMTP.clone(max_line_length=76, utf8=False)
_LANGUAGES: Final = re.compile(r"[A-Za-z0-9, -]{2,64}")
_KINDS: Final = frozenset({"plain", "html"})


class Refused(KujiError):  # noqa: N818  (an answer)
    """The message must not leave as it is; `reply` is the SMTP answer, which repeats nothing of it."""

    def __init__(self, why: str) -> None:
        self.reply = f"554 5.6.0 {why}"
        super().__init__(self.reply)


@dataclass(frozen=True)
class Part:
    """A text of the message, decoded; `kind` is `plain` or `html`."""

    kind: str
    text: str

    @property
    def readable(self) -> str:
        return html.unescape(self.text) if self.kind == "html" else self.text

    def addressed_to(self, name: str) -> "Part":
        shown = html.escape(name) if self.kind == "html" else name
        return replace(self, text=self.text.replace(PLACEHOLDER, shown))


def rewrite(content: bytes, recipients: Sequence[Recipient], *, envelope_id: str, domain: str, clock: Clock) -> bytes:
    """The bytes for the mail server. Raises Refused.

    `envelope_id` names notice or batch; Message-ID derives from it, so that a mail sent twice can be told.
    """
    message, headers = _read(content)
    _refuse_forbidden(message)
    parts = _text_parts(message)
    to = _addresses(message, "To")
    office = recipients[0].campaign.office
    if len(recipients) > 1 or to == [office.mail_to]:
        _check_bulk(to, [*headers, *(part.readable for part in parts)], recipients)
        receiver = office.mail_to
    else:
        _check_single(to, recipients[0])
        parts = [part.addressed_to(recipients[0].name) for part in parts]
        receiver = recipients[0].address or ""
    _refuse_leftovers(headers, parts)
    out = _built(message, parts)
    local, _, sender_domain = office.mail_from.rpartition("@")
    out["From"] = Address(office.name, local, sender_domain)
    out["To"] = receiver
    out["Date"] = format_datetime(clock.now())
    out["Message-ID"] = f"<{envelope_id}@{domain}>"
    out["Auto-Submitted"] = "auto-generated"
    return out.as_bytes()


def _read(content: bytes) -> tuple[EmailMessage, Sequence[str]]:
    """The message, and every header of every part, decoded."""
    try:
        message = message_from_bytes(content, _class=EmailMessage, policy=_IN)
        return message, tuple(_header_texts(message))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Refused("a message that cannot be read") from None


def _refuse_forbidden(message: EmailMessage) -> None:
    for name in message.keys():  # noqa: SIM118  (every occurrence, not every name)
        if name.lower() in _FORBIDDEN or name.lower().startswith("resent-"):
            raise Refused("a header that must not be sent")


def _check_single(to: Sequence[str], recipient: Recipient) -> None:
    if len(to) != 1 or to[0].partition("@")[0] != recipient.token:
        raise Refused("To is neither the recipient's token nor the campaign's own address")


def _check_bulk(to: Sequence[str], said: Sequence[str], recipients: Sequence[Recipient]) -> None:
    if to != [recipients[0].campaign.office.mail_to]:
        raise Refused("To of a mail to several must be the campaign's own address")
    secrets = [secret for each in recipients for secret in (each.token, each.name, each.address) if secret is not None]
    if names_one_of(secrets, "\n".join(said)):
        raise Refused("a mail to several names one of them")


def _refuse_leftovers(headers: Sequence[str], parts: Sequence[Part]) -> None:
    """Placeholders nobody fills in, and tokens, which no mail may show; `To` is replaced."""
    kept = (text for text in headers if not text.lower().startswith("to:"))
    for text in (*kept, *(part.readable for part in parts)):
        if _ANY_PLACEHOLDER in text:
            raise Refused("a placeholder that cannot be filled in here")
        if _ANY_TOKEN.search(text):
            raise Refused("a token outside of To")


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [address for _, address in getaddresses([str(value) for value in message.get_all(name, [])])]


def _header_texts(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        for name, value in part.items():
            yield f"{name}: {value}"


def _text_parts(message: EmailMessage) -> list[Part]:
    """Every leaf, decoded. Anything but text is refused: it could carry a person where nobody looks."""
    parts = []
    for part in message.walk():
        if part.get_content_maintype() == "multipart":
            continue
        if part.get_content_maintype() != "text" or part.get_content_subtype() not in _KINDS or part.is_attachment():
            raise Refused("only text can be sent")
        try:
            parts.append(Part(part.get_content_subtype(), str(part.get_content(errors="strict"))))
        except (LookupError, ValueError, AttributeError, TypeError):
            raise Refused("a part whose text cannot be read") from None
    if not parts:
        raise Refused("no text")
    return parts


def _built(message: EmailMessage, parts: Sequence[Part]) -> EmailMessage:
    out = EmailMessage(policy=_IN)
    out["Subject"] = " ".join(str(message.get("Subject", "")).split())
    languages = str(message.get("Content-Language", ""))
    out.set_content(parts[0].text, subtype=parts[0].kind, charset="utf-8", cte="base64")
    for part in parts[1:]:
        add = out.add_alternative if message.get_content_subtype() == "alternative" else out.add_attachment
        add(part.text, subtype=part.kind, charset="utf-8", cte="base64", disposition="inline")
    if _LANGUAGES.fullmatch(languages):
        out["Content-Language"] = languages
    return out
