"""Type the answers of intake; the API description is made from these types. Examples contain no real data."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.intake.rules.submission import Submission
from shared.ids import CampaignIdField, KeyIdField, ReceiptField
from shared.web.description import describe_refusals

OpenApi = dict[str, Any]
"""Part of an OpenAPI description."""


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1


class Receipted(_Response):
    """Confirm an accepted application: the vault will receive it under this receipt number."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"v": 1, "receipt": "W-7K3M-9Q2P-6", "status": "received"}]}
    )

    receipt: ReceiptField
    status: Literal["received"] = "received"


class ApplicationStatus(_Response):
    """Describe the status of an application. `reasons` are codes; intake does not know the classes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"v": 1, "receipt": "W-7K3M-9Q2P-6", "status": "rejected", "reasons": ["not-resident"]}]
        }
    )

    receipt: ReceiptField
    status: Literal["received", "accepted", "held", "rejected"]
    reasons: tuple[str, ...] = ()


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
    401: "`unauthorized`: only staff who signed in may send paper (`channel`)",
    403: "`not-open` (with `opens`) or `closed` (with `closed`): outside the window; `no-right`: not with these roles",
    404: "`campaign-unknown`, `application-unknown`, `receipt-unknown` or `postal-code-unknown`",
    408: "`body-timeout`: the body did not arrive in time",
    409: "`conflict`: the id came with another body before; `key-expired` (with the current `key_id`); "
    "`serial-taken`: another paper has this number",
    413: "`too-large`: more than the `limit` of bytes",
    422: "`invalid`: not the documented shape; names members of the schema, never what was sent",
    428: "`work-required`: proof of work of so many `bits` is required at present; send the same with `Kuji-Work`",
    429: "`too-many-requests`: send the same again after `Retry-After` seconds",
    503: "`unavailable`: nothing was accepted; send the same again after `Retry-After` seconds",
}


def refusals(*statuses: int) -> dict[int | str, OpenApi]:
    """Return the error answers of an endpoint, for its description."""
    return describe_refusals({status: _REFUSALS[status] for status in statuses})


def submission_body() -> OpenApi:
    """Return the description of the request body, for the endpoint that reads its body itself to count the bytes."""
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": Submission.model_json_schema()}}}
    }
