"""Define the request of an edge tool for a paper: ids, the stamped number, and sealed bytes. Pure.

Shape: `docs/protocols.md` §1. Unknown members are refused (R-C3).
"""

import hashlib
from datetime import UTC
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.intake.rules.submission import check_integer, check_sealed_form
from shared.contracts import SEALED_PAPER_BYTES, SEALED_PAPER_TEXT, PaperChannel, Value
from shared.encoding import unb64url
from shared.ids import CampaignId, KeyIdField, PaperIdField, SerialField

PAPER_BODY_LIMIT: Final = SEALED_PAPER_TEXT + 1024
"""Most bytes of a request body: the sealed paper as text, and its few other members."""


def _within_limit(text: str) -> str:
    if len(unb64url(check_sealed_form(text))) > SEALED_PAPER_BYTES:
        raise ValueError("more bytes than a sealed paper may have")
    return text


_EXAMPLE: JsonDict = {
    "v": 1,
    "paper_id": "5d0b3f1f-2a52-4c6c-9d3a-0b6f6f0f2c22",
    "key_id": "777-days-2018-05",
    "channel": "fax",
    "serial": "F-0001",
    "received_at": "2018-05-16T09:12:00+09:00",
    "sealed": "q83vEjRWeJ…",
}


class PaperSubmission(Value):
    """Body of the request for a paper."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    v: Annotated[Literal[1], BeforeValidator(check_integer)]
    paper_id: Annotated[PaperIdField, Field(description="UUID v4 or v7, made by the edge tool, lower case")]
    key_id: Annotated[KeyIdField, Field(description="the `key_id` of the sealing key that was used")]
    channel: Annotated[PaperChannel, Field(description="how the paper came")]
    serial: Annotated[SerialField, Field(description="the number stamped on the paper; once per campaign")]
    received_at: Annotated[AwareDatetime, Field(description="when the paper came, RFC 3339 with offset")]
    sealed: Annotated[
        str,
        Field(
            max_length=SEALED_PAPER_TEXT,
            description="base64url without padding: encapsulated key (1120 bytes) ‖ ciphertext, at most 8 MiB of bytes",
        ),
        AfterValidator(_within_limit),
    ]


def fingerprint(campaign: CampaignId, paper: PaperSubmission) -> str:
    """Return the SHA-256 (hex) of the content, which does not depend on how the JSON is written.

    One paper id may have one content only.
    """
    received_at = paper.received_at.astimezone(UTC).isoformat()
    content = (campaign, paper.paper_id, paper.key_id, paper.channel, paper.serial, received_at, paper.sealed)
    return hashlib.sha256("\x00".join(content).encode("ascii")).hexdigest()
