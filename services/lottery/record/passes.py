"""Passes: QR codes for reception, which can be checked offline with the lottery's public key. Pure.

Form (`docs/protocols.md` §2, "Passes"): `KP1:` and 160 characters of base32 (RFC 4648 §6), all of them in a QR code's
alphanumeric set. Bytes: 1, the first 8 of SHA-256(campaign id), the entry's 16, the class's number (2), seats (1), not
before and not after in minutes since 1970 (4 each), all big-endian; then Ed25519's 64 over `kuji/pass/1` ‖ 0x00 ‖ all
that. A pass contains no personal data (R-C2).
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.campaign import Campaign
from shared.encoding import b64url, unb64url
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId
from shared.signing import SigningKey, verify

PREFIX: Final = "KP1:"
_FIELDS: Final = struct.Struct(">B8s16sHBII")
_DOMAIN: Final = b"kuji/pass/1\x00"
_FORM: Final = re.compile(r"KP1:[A-Z2-7]{160}")
_VERSION: Final = 1
VALID_BEFORE: Final = timedelta(hours=6)
"""Passes are valid from this time before the class starts."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class InvalidPassError(KujiError):
    """Raised when a text is not a pass of this campaign and key. `why`: `form`, `signature` or `campaign`."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not a pass: {why}")
        self.why = why


@dataclass(frozen=True)
class Pass:
    """Pass of one entry for one class. `entry`: 16 bytes; `number`: of the class; times to the minute."""

    entry: bytes
    number: int
    seats: int
    not_before: datetime
    not_after: datetime


def make_pass(campaign: Campaign, entry: bytes, class_id: ClassId, seats: int) -> Pass:
    """Make a pass that is valid from `VALID_BEFORE` the class starts until it ends."""
    event_class = campaign.event_class(class_id)
    assert event_class is not None  # noqa: S101  (the draw was over the campaign's own classes)
    return Pass(entry, event_class.number, seats, event_class.starts - VALID_BEFORE, event_class.ends)


def write_pass(signing: SigningKey, campaign: CampaignId, content: Pass) -> str:
    """Write a pass as the text of its QR code."""
    payload = _FIELDS.pack(
        _VERSION,
        _short(campaign),
        content.entry,
        content.number,
        content.seats,
        _minutes(content.not_before),
        _minutes(content.not_after),
    )
    signature = unb64url(signing.sign(_DOMAIN + payload))
    return PREFIX + base64.b32encode(payload + signature).decode("ascii").rstrip("=")


def read_pass(believed: Iterable[str], campaign: CampaignId, text: str) -> Pass:
    """Read a pass. `believed`: the lottery's keys (base64url), of which one must have signed it.

    Raises InvalidPassError. The caller checks the times.
    """
    if not _FORM.fullmatch(text):
        raise InvalidPassError("form")
    try:
        written = base64.b32decode(text.removeprefix(PREFIX))
    except binascii.Error:
        raise InvalidPassError("form") from None
    payload, signature = written[: _FIELDS.size], written[_FIELDS.size :]
    version, short, entry, number, seats, not_before, not_after = _FIELDS.unpack(payload)
    if version != _VERSION:
        raise InvalidPassError("form")
    if not any(verify(key, _DOMAIN + payload, b64url(signature)) for key in believed):
        raise InvalidPassError("signature")
    if short != _short(campaign):
        raise InvalidPassError("campaign")
    return Pass(entry, number, seats, _moment(not_before), _moment(not_after))


def _short(campaign: CampaignId) -> bytes:
    return hashlib.sha256(campaign.encode("ascii")).digest()[:8]


def _minutes(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _moment(minutes: int) -> datetime:
    return _EPOCH + timedelta(minutes=minutes)
