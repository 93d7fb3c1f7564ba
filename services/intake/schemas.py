"""Type the answers of intake; the API description is made from these types. Examples contain no real data."""

from typing import Annotated, Any, Final, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake.rules.submission import Submission, VersionSubmission
from shared.ids import ApplicationIdField, CampaignIdField, KeyIdField, ReceiptField
from shared.service_keys import KeyState
from shared.web.description import describe_refusals

OpenApi = dict[str, Any]
"""Part of an OpenAPI description."""


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1


class ApplicationStatus(BaseModel):
    """Describe the status of an application's last version. `reasons` are codes; intake does not know the classes.

    Before the freeze it follows from the application's own content alone.
    """

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "v": 2,
                    "receipt": "W-7K3M-9Q2P-6",
                    "application_id": "7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21",
                    "status": "rejected",
                    "reasons": ["not-resident"],
                    "next_version": 2,
                }
            ]
        },
    )

    v: Literal[2] = 2
    receipt: ReceiptField
    application_id: ApplicationIdField
    status: Literal["received", "complete", "under-review", "rejected", "withdrawn", "drawn"]
    reasons: tuple[str, ...] = ()
    next_version: Annotated[int, Field(description="number for which a correction or a withdrawal is sealed")]


class ReceiptPublicKey(BaseModel):
    """Key with which intake signs receipt documents; `verify` is a retired key, `revoked` a stolen one."""

    model_config = ConfigDict(frozen=True)

    key: Annotated[str, Field(description="the member `key` of the documents that it signed")]
    public_key: Annotated[str, Field(description="Ed25519, base64url of 32 bytes")]
    state: KeyState


class ReceiptPublicKeys(BaseModel):
    """Keys with which a receipt document is checked. Compare them with a copy that did not come from intake."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "v": 2,
                    "keys": [
                        {
                            "key": "56475aa75463474c",
                            "public_key": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
                            "state": "active",
                        }
                    ],
                }
            ]
        },
    )

    v: Literal[2] = 2
    keys: tuple[ReceiptPublicKey, ...]


class KeyDocument(_Response):
    """Key document that the vault signed. Check the signature before you seal with the key."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "v": 1,
                    "campaign": "777-days",
                    "key_id": "777-days-2018-05",
                    "suite": "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM",
                    "public_key": "base64url of ML-KEM-768 key (1184 bytes) ‖ X25519 key (32 bytes)",
                    "not_after": "2018-05-30T18:00:00+09:00",
                    "signature": "base64url, Ed25519 over the canonical JSON (RFC 8785) without `signature`",
                }
            ]
        }
    )

    campaign: CampaignIdField
    key_id: KeyIdField
    suite: str
    public_key: str
    not_after: str
    signature: str


class PostalPlace(BaseModel):
    """Town of a postal code; `town` is empty where the code covers the rest of a municipality."""

    model_config = ConfigDict(frozen=True)

    prefecture: str
    municipality: str
    town: str


class PostalCode(_Response):
    """Towns of a postal code, from Japan Post."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "v": 1,
                    "postal_code": "1600021",
                    "places": [{"prefecture": "東京都", "municipality": "新宿区", "town": "歌舞伎町"}],
                }
            ]
        }
    )

    postal_code: str
    places: tuple[PostalPlace, ...]


class PublicCampaign(_Response):
    """Public part of a campaign file: purpose of use, window, classes, eligibility."""

    model_config = ConfigDict(extra="allow")

    campaign: CampaignIdField
    purpose_version: Annotated[str, Field(description="goes into the sealed application as it is")]
    campaign_sha256: str


class Summary(_Response):
    """Counts for staff."""

    campaign: CampaignIdField
    stage: Literal["open", "closing", "closed", "erasing", "erased"]
    key_id: KeyIdField | None
    received: Annotated[int, Field(description="applications with a receipt")]
    by_channel: dict[str, dict[str, int]]
    papers: Annotated[dict[str, int], Field(description="faxes and scans by status")]
    papers_unkeyed: Annotated[int, Field(description="papers for which the list of receipts waits")]


_REFUSALS: Final[dict[int, str]] = {
    401: "`unauthorized`: only with the token of this address, or for staff who signed in",
    403: "`not-open` (with `opens`) or `closed` (with `closed`): outside the window. Versions also: `not-yours`, a "
    "wrong proof or an unknown id alike; `too-many-versions`. Staff: `no-right`, not with these roles",
    404: "`campaign-unknown`, `application-unknown`, `receipt-unknown` or `postal-code-unknown`",
    408: "`body-timeout`: the body did not arrive in time",
    409: "`conflict`: the id came with another body before; `key-expired` (with the current `key_id`); "
    "`serial-taken`: another paper has this number; `version-taken` (with `next_version`): another correction came "
    "first",
    413: "`too-large`: more than the `limit` of bytes",
    422: "`invalid`: not the documented shape; names members of the schema, never what was sent",
    428: "`work-required`: proof of work of so many `bits` is required at present; send the same with `Kuji-Work`",
    429: "`too-many-requests`: send the same again after `Retry-After` seconds",
    503: "`unavailable`: nothing was accepted; send the same again after `Retry-After` seconds",
}


def refusals(*statuses: int) -> dict[int | str, OpenApi]:
    """Return the error answers of an endpoint, for its description."""
    return describe_refusals({status: _REFUSALS[status] for status in statuses})


def submission_body(form: type[Submission | VersionSubmission]) -> OpenApi:
    """Return the description of the request body, for an endpoint that reads its body itself to count the bytes."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": form.model_json_schema()}}}}


def receipt_answer(document: str) -> Response:
    """Return the answer with a signed receipt document, byte for byte as it is stored and hashed into the roll."""
    return Response(document, 202, {"Cache-Control": "no-store"}, media_type="application/json")
