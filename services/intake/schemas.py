"""What intake answers, as types: the API description is made from them. Examples are of nobody."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.intake.rules.submission import Submission
from shared.ids import CampaignIdField, KeyIdField, ReceiptField
from shared.web.description import describe_refusals


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    v: Literal[1] = 1


class Receipted(_Answer):
    """The application is taken: the vault will get it, and this number stands for it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"v": 1, "receipt": "W-J256-NW7T-Q", "status": "received"}]}
    )

    receipt: ReceiptField
    status: Literal["received"] = "received"


class ApplicationStatus(_Answer):
    """Where an application stands. `reasons` are codes; no class is named, since intake knows of none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"v": 1, "receipt": "W-J256-NW7T-Q", "status": "rejected", "reasons": ["not-resident"]}]
        }
    )

    receipt: ReceiptField
    status: Literal["received", "accepted", "held", "rejected"]
    reasons: tuple[str, ...] = ()


class KeyDocument(_Answer):
    """The vault's signed key document. Check the signature before sealing anything with the key."""

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
    """`town` is empty where the code covers the rest of a municipality."""

    model_config = ConfigDict(frozen=True)

    prefecture: str
    municipality: str
    town: str


class PostalCode(_Answer):
    """Where a postal code is, as Japan Post has it."""

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


class PublicCampaign(_Answer):
    """The public part of a campaign file: purpose of use, window, places, who may apply."""

    model_config = ConfigDict(extra="allow")

    campaign: CampaignIdField
    purpose_version: Annotated[str, Field(description="goes into the sealed application as it is")]
    campaign_sha256: str


class Summary(_Answer):
    """For staff: numbers only."""

    campaign: CampaignIdField
    stage: Literal["open", "closing", "closed", "erasing", "erased"]
    key_id: KeyIdField | None
    received: Annotated[int, Field(description="applications that were given a receipt")]
    by_channel: dict[str, dict[str, int]]
    papers: Annotated[dict[str, int], Field(description="faxes and scans by status")]
    papers_unkeyed: Annotated[int, Field(description="papers the roll of receipts waits for")]


_REFUSALS: Final[dict[int, str]] = {
    401: "`unauthorized`: only staff may send paper (`channel`), with the staff token",
    403: "`not-open` (with `opens`) or `closed` (with `closed`): outside the window",
    404: "`campaign-unknown`, `application-unknown`, `receipt-unknown` or `postal-code-unknown`",
    408: "`body-timeout`: the body did not arrive in time",
    409: "`conflict`: the id came with another body before; `key-expired` (with the current `key_id`); "
    "`serial-taken`: another paper has this number",
    413: "`too-large`: more than the `limit` of bytes",
    422: "`invalid`: not the describe_refusals shape; names members of the schema, never what was sent",
    428: "`work-required`: proof of work of so many `bits` is asked for at present; send the same with `Kuji-Work`",
    429: "`too-many-requests`: the same again after `Retry-After` seconds",
    503: "`unavailable`: nothing was taken; send the same again after `Retry-After` seconds",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an endpoint, for its description."""
    return describe_refusals({status: _REFUSALS[status] for status in statuses})


def submission_body() -> dict[str, Any]:
    """The request body's description, for the endpoint that reads its body by itself (to count while reading)."""
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": Submission.model_json_schema()}}}
    }
