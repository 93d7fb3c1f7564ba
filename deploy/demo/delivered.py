"""Texts that reached applicants, read where they arrived: mails in the mailbox, cards in the printed pages."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Final, Literal

import pypdfium2

from shared.ids import Receipt

_RECEIPT: Final = re.compile(r"\b[WFP]-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]\b")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+[A-Za-z0-9]")
_KINDS: Final = {
    "acknowledgement": "申込みを受け付けました",
    "rejected": "この申込みは抽選の対象になりません",
    "same-person": "同じ方から二つ以上の申込みがありましたので",
    "offer": "次の教室にご参加いただけます",
    "place-won": "次の教室に当選となりました",
    "place-withdrawn": "辞退のお手続きを承りました",
    "offer-expired": "席は、?次の方にお譲りしました",
    "entrance-changed": "の入口を",
    "result": "抽選の結果",
}
"""Words by which a text's kind is known, searched in this order."""
_TO_STAFF: Final = "<staff-"
_MADE_BY_SERVERS: Final = frozenset({"message-id", "content-type"})


@dataclass(frozen=True)
class DeliveredText:
    """One mail as it lies in the mailbox, or one card as it was printed.

    `place`: name of the mail or card, without a person; `recipients`: of the envelope, none for a card; `addresses`:
    all mail addresses in headers and text.
    """

    channel: Literal["mail", "post"]
    place: str
    recipients: tuple[str, ...] = field(repr=False)
    receipts: frozenset[Receipt]
    addresses: frozenset[str] = field(repr=False)
    text: str = field(repr=False)
    """Text without blanks and line ends, because a card breaks lines anywhere."""
    to: str = field(default="", repr=False)
    """Header `To` of a mail."""

    @property
    def kind(self) -> str:
        """Kind of the notice; empty for a text of no known kind."""
        return next((kind for kind, words in _KINDS.items() if re.search(words, self.text)), "")

    @property
    def is_announcement(self) -> bool:
        return self.kind == "entrance-changed"


def read_mailbox(folder: Path) -> list[DeliveredText]:
    """Return every mail of the folder to applicants, with its headers and its decoded parts; mails to staff are not."""
    mails = (_read_mail(envelope) for envelope in sorted(folder.glob("*.json")))
    return [mail for mail in mails if mail is not None]


def _read_mail(envelope: Path) -> DeliveredText | None:
    recipients = json.loads(envelope.read_text("utf-8"))["rcpt_tos"]
    message = message_from_bytes(envelope.with_suffix(".eml").read_bytes())
    if str(message["Message-ID"] or "").startswith(_TO_STAFF):
        return None
    text = "\n".join(_readable_parts(message))
    return _delivered("mail", envelope.stem, recipients, text, _decoded(message["To"] or ""))


def _readable_parts(message: Message) -> Iterator[str]:
    for part in message.walk():
        for name, value in part.items():
            if name.lower() not in _MADE_BY_SERVERS:
                yield f"{name}: {_decoded(value)}"
        content = part.get_payload(decode=True)
        if part.get_content_maintype() == "text" and isinstance(content, bytes):
            yield content.decode(part.get_content_charset("utf-8"))


def _decoded(value: str) -> str:
    """Return the words of a header (RFC 2047).

    `email.policy.default` parses each address into objects as well: most of the time of reading 2,000 mails.
    """
    return str(make_header(decode_header(value))) if "=?" in value else value


def read_cards(batch: str, pdf: bytes) -> list[DeliveredText]:
    """Return every card of a printed batch; each has an address side and a result side."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_bounded() for page in document]
    document.close()
    sides = zip(pages[::2], pages[1::2], strict=True)
    return [_delivered("post", f"{batch} card {n}", (), f"{a}\n{b}") for n, (a, b) in enumerate(sides, start=1)]


def _delivered(
    channel: Literal["mail", "post"], place: str, recipients: Sequence[str], text: str, to: str = ""
) -> DeliveredText:
    return DeliveredText(
        channel=channel,
        place=place,
        recipients=tuple(recipients),
        receipts=frozenset(Receipt(found) for found in _RECEIPT.findall(text)),
        addresses=frozenset(_ADDRESS.findall(text)),
        text=re.sub(r"\s+", "", text),
        to=to,
    )
