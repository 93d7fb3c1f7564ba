"""Ids have types of their own, so that a token can never stand where an application id belongs.

Forms: `docs/protocols.md` §0. A token is made by the vault from 128 random bits and derives from nothing.
"""

import re
import secrets
import uuid
from typing import Annotated, NewType

from pydantic import StringConstraints

from shared import crockford

CampaignId = NewType("CampaignId", str)
ClassId = NewType("ClassId", str)
ApplicationId = NewType("ApplicationId", str)
Token = NewType("Token", str)
NoticeId = NewType("NoticeId", str)
BatchId = NewType("BatchId", str)
KeyId = NewType("KeyId", str)
DrawId = NewType("DrawId", str)
EventId = NewType("EventId", str)
Receipt = NewType("Receipt", str)
PaperId = NewType("PaperId", str)
Serial = NewType("Serial", str)

_SLUG = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_TOKEN = r"^tok_[0-9a-hjkmnp-tv-z]{26}$"  # noqa: S105  (a pattern, not a secret)
_OPAQUE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
_SERIAL = r"^[A-Za-z0-9-]{1,32}$"
_RECEIPT = r"^[WFP](?:-[0-9A-HJKMNP-TV-Z]{4}){2}-[0-9A-HJKMNP-TV-Z]$"

CampaignIdField = Annotated[CampaignId, StringConstraints(pattern=_SLUG)]
ClassIdField = Annotated[ClassId, StringConstraints(pattern=_SLUG)]
ApplicationIdField = Annotated[ApplicationId, StringConstraints(pattern=_UUID)]
TokenField = Annotated[Token, StringConstraints(pattern=_TOKEN)]
NoticeIdField = Annotated[NoticeId, StringConstraints(pattern=_OPAQUE)]
BatchIdField = Annotated[BatchId, StringConstraints(pattern=_OPAQUE)]
KeyIdField = Annotated[KeyId, StringConstraints(pattern=_OPAQUE)]
DrawIdField = Annotated[DrawId, StringConstraints(pattern=_OPAQUE)]
ReceiptField = Annotated[Receipt, StringConstraints(pattern=_RECEIPT)]
PaperIdField = Annotated[PaperId, StringConstraints(pattern=_UUID)]
SerialField = Annotated[Serial, StringConstraints(pattern=_SERIAL)]
"""The number stamped on a paper when it came in: it leads from the screen to the folder in the locker (R-S2)."""


def new_token() -> Token:
    return Token("tok_" + crockford.encode(secrets.token_bytes(16), 26).lower())


def is_token(text: str) -> bool:
    return re.match(_TOKEN, text) is not None


def new_application_id() -> ApplicationId:
    return ApplicationId(str(uuid.uuid4()))


def parse_application_id(text: str) -> ApplicationId:
    """Accept exactly the lower-case text form of a UUID v4 or v7 (RFC 9562); ValueError otherwise, without echoing."""
    if re.match(_UUID, text) is None:
        raise ValueError("not a UUID of version 4 or 7 in lower case")
    return ApplicationId(text)


def application_id_bytes(application_id: ApplicationId) -> bytes:
    """Return the 16 bytes that are the entry id of the draw."""
    return uuid.UUID(application_id).bytes


def new_event_id() -> EventId:
    return EventId(str(uuid.uuid4()))


def derived_event_id(*parts: str) -> EventId:
    """Derive an event id from the parts, so that an event published twice is recognised."""
    return EventId(str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:kuji:event:" + "\x1f".join(parts))))
