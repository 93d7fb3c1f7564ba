"""What may leave in a mail, and how it is rewritten on the way. Pure.

One recipient: `To` becomes the real address and `{{kuji:name}}` in text becomes the name. Several: no recipient's
token, name or address may occur anywhere, in any header or decoded part (R-S4). Only known headers go out.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses

from services.vault.relay.recipients import Recipient
from shared.clock import Clock
from shared.errors import KujiError

PLACEHOLDER = "{{kuji:name}}"
_ANY_PLACEHOLDER = "{{kuji:"
_FORBIDDEN = frozenset(
    {"bcc", "cc", "apparently-to", "x-original-to", "delivered-to", "disposition-notification-to", "return-receipt-to"}
)
_PASSED_ON = frozenset({"subject", "mime-version", "content-type", "content-transfer-encoding", "content-language"})
_OUT = policy.SMTP.clone(max_line_length=76, utf8=False)


class Refused(KujiError):  # noqa: N818  (an answer)
    """The message must not leave as it is; `reply` is the SMTP answer, which repeats nothing of it."""

    def __init__(self, why: str) -> None:
        self.reply = f"554 5.6.0 {why}"
        super().__init__(self.reply)


def rewrite(content: bytes, recipients: Sequence[Recipient], *, envelope_id: str, domain: str, clock: Clock) -> bytes:
    """The bytes for the mail server. Raises Refused.

    `envelope_id` names notice or batch; Message-ID derives from it, so that a mail sent twice can be told.
    """
    message = message_from_bytes(content, _class=EmailMessage, policy=_OUT)
    _refuse_forbidden(message)
    campaign = recipients[0].campaign
    bulk = len(recipients) > 1 or _addresses(message, "To") == [campaign.office.mail_to]
    parts = _text_parts(message)
    if bulk:
        _check_bulk(message, parts, recipients)
        to = campaign.office.mail_to
    else:
        _check_single(message, recipients[0])
        parts = [(part, text.replace(PLACEHOLDER, recipients[0].name)) for part, text in parts]
        to = recipients[0].address or ""
    _refuse_placeholders(message, parts)
    for part, text in parts:
        part.set_content(text, subtype=part.get_content_subtype(), charset="utf-8", cte="base64")
    _set_headers(message, sender=(campaign.office.name, campaign.office.mail_from), to=to)
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{envelope_id}@{domain}>"
    return message.as_bytes(policy=_OUT)


def _refuse_forbidden(message: EmailMessage) -> None:
    for name in message.keys():  # noqa: SIM118  (every occurrence, not every name)
        if name.lower() in _FORBIDDEN or name.lower().startswith("resent-"):
            raise Refused("a header that must not be sent")


def _check_single(message: EmailMessage, recipient: Recipient) -> None:
    to = _addresses(message, "To")
    if len(to) != 1 or to[0].partition("@")[0] != recipient.token:
        raise Refused("To is neither the recipient's token nor the campaign's own address")


def _check_bulk(
    message: EmailMessage, parts: Sequence[tuple[EmailMessage, str]], recipients: Sequence[Recipient]
) -> None:
    if _addresses(message, "To") != [recipients[0].campaign.office.mail_to]:
        raise Refused("To of a mail to several must be the campaign's own address")
    said = _plain("\n".join([*_header_texts(message), *(text for _, text in parts)]))
    for recipient in recipients:
        for secret in (recipient.token, recipient.name, recipient.address or recipient.token):
            if _plain(secret) in said:
                raise Refused("a mail to several names one of them")


def _refuse_placeholders(message: EmailMessage, parts: Sequence[tuple[EmailMessage, str]]) -> None:
    for text in (*_header_texts(message), *(text for _, text in parts)):
        if _ANY_PLACEHOLDER in text:
            raise Refused("a placeholder that cannot be filled in here")


def _plain(text: str) -> str:
    """For finding: without spaces, width and case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _addresses(message: EmailMessage, name: str) -> list[str]:
    return [address for _, address in getaddresses([str(value) for value in message.get_all(name, [])])]


def _header_texts(message: EmailMessage) -> Iterator[str]:
    for part in message.walk():
        for name, value in part.items():
            yield f"{name}: {value}"


def _text_parts(message: EmailMessage) -> list[tuple[EmailMessage, str]]:
    """Every leaf with its decoded text. Anything but text is refused: it could carry a person where nobody looks."""
    found = []
    for part in message.walk():
        if part.is_multipart():
            continue
        if part.get_content_maintype() != "text" or part.is_attachment():
            raise Refused("only text can be sent")
        try:
            found.append((part, str(part.get_content())))
        except (LookupError, ValueError):
            raise Refused("a part whose text cannot be read") from None
    return found


def _set_headers(message: EmailMessage, *, sender: tuple[str, str], to: str) -> None:
    """Only known headers stay; sender, recipient and the rest are ours."""
    for name in {name for name in message.keys() if name.lower() not in _PASSED_ON}:  # noqa: SIM118
        del message[name]
    local, _, domain = sender[1].rpartition("@")
    message["From"] = Address(sender[0], local, domain)
    message["To"] = to
    message["Auto-Submitted"] = "auto-generated"
