"""Define the requests of an applicant's client: ids, a proof, and sealed bytes, which intake cannot open. Pure.

Shape: `docs/protocols.md` §1. Unknown members are refused (R-C3).
"""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from shared.codes import ProofDigestField, ProofField
from shared.contracts import Value, Version
from shared.encoding import unb64url
from shared.ids import ApplicationId, ApplicationIdField, CampaignId, KeyIdField

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


def check_integer(value: Any) -> Any:
    """Return the value. Raises ValueError for `true` and `1.0`, which some readers take for an integer."""
    if type(value) is not int:
        raise ValueError("not an integer")
    return value


SealedField = Annotated[str, Field(max_length=BODY_LIMIT - 512), AfterValidator(check_sealed_form)]
"""Sealed bytes as text; the other members of a body need less than 512 bytes."""
FormVersion = Annotated[Literal[2], BeforeValidator(check_integer)]
"""The member `v` of the requests of this page."""

_SEALED = "base64url without padding: encapsulated key (1120 bytes) ‖ ciphertext"
_KEY_ID = "the `key_id` of the sealing key that was used"
_EXAMPLE: JsonDict = {
    "v": 2,
    "application_id": "7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21",
    "key_id": "777-days-2018-05",
    "sealed": "q83vEjRWeJ…",
    "proof_sha256": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
}
_VERSION_EXAMPLE: JsonDict = {
    "v": 2,
    "version": 2,
    "key_id": "777-days-2018-05",
    "sealed": "q83vEjRWeJ…",
    "proof": "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
}


class Submission(Value):
    """Body of the request for an application."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    v: FormVersion
    application_id: Annotated[ApplicationIdField, Field(description="UUID v4 or v7, made by the client, lower case")]
    key_id: Annotated[KeyIdField, Field(description=_KEY_ID)]
    sealed: Annotated[SealedField, Field(description=_SEALED)]
    proof_sha256: Annotated[ProofDigestField, Field(description="SHA-256 (hex) of the proof for intake, 32 bytes")]


class VersionSubmission(Value):
    """Body of the request for a correction or a withdrawal."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VERSION_EXAMPLE]})

    v: FormVersion
    version: Annotated[
        Version | SkipJsonSchema[None],  # absent is allowed, null is not
        BeforeValidator(check_integer),
        Field(description="the `next_version` that was sealed for; if another took it, the answer is `version-taken`"),
    ] = None
    key_id: Annotated[KeyIdField, Field(description=_KEY_ID)]
    sealed: Annotated[SealedField, Field(description=_SEALED)]
    proof: Annotated[ProofField, Field(description="proof for intake, base64url of 32 bytes")]


def fingerprint(campaign: CampaignId, submission: Submission) -> str:
    """Return the SHA-256 (hex) of the content, which does not depend on how the JSON is written.

    One application id may have one content only.

    base64url is canonical (`shared.encoding`), so one sealed byte string has one fingerprint.
    """
    return _hash(campaign, submission.application_id, submission.key_id, submission.sealed, submission.proof_sha256)


def version_fingerprint(application_id: ApplicationId, submission: VersionSubmission) -> str:
    """Return the SHA-256 (hex) of a version's content, by which a repetition is recognised."""
    return _hash(application_id, submission.key_id, submission.sealed)


def hash_sealed(sealed: str) -> str:
    """Return SHA-256 (hex) of the decoded sealed bytes, as a receipt document states it."""
    return hashlib.sha256(unb64url(sealed)).hexdigest()


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("ascii")).hexdigest()
