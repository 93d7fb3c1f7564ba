"""What a client sends to apply: ids and sealed bytes, nothing that could be read here. Pure.

Shape: `docs/protocols.md` §1. Unknown members are refused (R-C3).
"""

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict

from shared.contracts import Channel, Value
from shared.encoding import unb64url
from shared.ids import ApplicationIdField, CampaignId, KeyIdField

BODY_LIMIT = 64 * 1024
"""Bytes of a whole request body."""

_ENCAPSULATION = 1120
"""Bytes of the encapsulated key of MLKEM768-X25519 (draft-ietf-hpke-pq)."""
_TAG = 16
"""Bytes of the AES-GCM tag."""


def sealed_form(text: str) -> str:
    """base64url of at least an encapsulated key, one byte and a tag; ValueError otherwise, without the text."""
    if len(unb64url(text)) <= _ENCAPSULATION + _TAG:
        raise ValueError("too short to be sealed")
    return text


SealedField = Annotated[str, Field(max_length=BODY_LIMIT), AfterValidator(sealed_form)]

_EXAMPLE: JsonDict = {
    "v": 1,
    "application_id": "7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21",
    "key_id": "777-days-2018-05",
    "sealed": "q83vEjRWeJ…",
}


class Submission(Value):
    """The body of an application."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    v: Literal[1]
    application_id: Annotated[ApplicationIdField, Field(description="UUID v4 or v7, made by the client, lower case")]
    key_id: Annotated[KeyIdField, Field(description="the `key_id` of the sealing key that was used")]
    sealed: Annotated[
        SealedField, Field(description="base64url without padding: encapsulated key (1120 bytes) ‖ ciphertext")
    ]


def fingerprint(campaign: CampaignId, channel: Channel, submission: Submission) -> str:
    """SHA-256 (hex) over what was said, however the JSON was written: the same id may only ever say one thing.

    base64url is canonical (`shared.encoding`), so one sealed byte string has one fingerprint.
    """
    said = (campaign, channel, submission.application_id, submission.key_id, submission.sealed)
    return hashlib.sha256("\x00".join(said).encode("ascii")).hexdigest()
