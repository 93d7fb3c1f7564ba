"""Define the request of an applicant's client: ids and sealed bytes, which intake cannot open. Pure.

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
"""Most bytes of a request body."""

_ENCAPSULATION = 1120
"""Bytes of the encapsulated key of MLKEM768-X25519 (draft-ietf-hpke-pq)."""
_TAG = 16
"""Bytes of the AES-GCM tag."""


def check_sealed_form(text: str) -> str:
    """Return base64url of at least an encapsulated key, one byte and a tag.

    Raises ValueError, without the text, for any other text.
    """
    if len(unb64url(text)) <= _ENCAPSULATION + _TAG:
        raise ValueError("too short to be sealed")
    return text


SealedField = Annotated[str, Field(max_length=BODY_LIMIT), AfterValidator(check_sealed_form)]

_EXAMPLE: JsonDict = {
    "v": 1,
    "application_id": "7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21",
    "key_id": "777-days-2018-05",
    "sealed": "q83vEjRWeJ…",
}


class Submission(Value):
    """Body of the request for an application."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    v: Literal[1]
    application_id: Annotated[ApplicationIdField, Field(description="UUID v4 or v7, made by the client, lower case")]
    key_id: Annotated[KeyIdField, Field(description="the `key_id` of the sealing key that was used")]
    sealed: Annotated[
        SealedField, Field(description="base64url without padding: encapsulated key (1120 bytes) ‖ ciphertext")
    ]


def fingerprint(campaign: CampaignId, channel: Channel, submission: Submission) -> str:
    """Return the SHA-256 (hex) of the content, which does not depend on how the JSON is written.

    One application id may have one content only.

    base64url is canonical (`shared.encoding`), so one sealed byte string has one fingerprint.
    """
    content = (campaign, channel, submission.application_id, submission.key_id, submission.sealed)
    return hashlib.sha256("\x00".join(content).encode("ascii")).hexdigest()
