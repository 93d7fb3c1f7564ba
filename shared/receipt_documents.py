"""Write and check receipt documents, and the roll of all receipts (`docs/protocols.md` §0). Pure.

A receipt document is intake's signed statement that it holds exactly these sealed bytes. The roll has one line for each
receipt, so that a receipt document proves by itself whether its application was counted.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.canonical import canonical
from shared.ids import ApplicationId, ApplicationIdField, CampaignId, CampaignIdField, Receipt, ReceiptField
from shared.json_types import JsonObject
from shared.merkle import leaf_hash, root
from shared.signing import SigningKey, verify_in_context

RECEIPT_CONTEXT: Final = "kuji/receipt/2"
LEAF_LINES: Final = 1024
"""Lines of the roll in one leaf of its tree, as for rows."""

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ReceiptDocument(BaseModel):
    """Form of a receipt document. `sealed_sha256` is over the decoded bytes; a paper's id is in `application_id`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    v: Literal[2]
    campaign: CampaignIdField
    receipt: ReceiptField
    application_id: ApplicationIdField
    version: Annotated[int, Field(ge=1, le=1000, strict=True)]
    sealed_sha256: Hash
    received_at: Annotated[
        str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$")
    ]
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]


def write_receipt_document(
    key: SigningKey,
    *,
    campaign: CampaignId,
    receipt: Receipt,
    application_id: ApplicationId,
    version: int,
    sealed_sha256: str,
    received_at: datetime,
) -> JsonObject:
    """Return the signed receipt document of one version of an application, or of a paper (version 1)."""
    document = {
        "v": 2,
        "campaign": campaign,
        "receipt": receipt,
        "application_id": application_id,
        "version": version,
        "sealed_sha256": sealed_sha256,
        "received_at": received_at.isoformat(),
    }
    return key.sign_in_context(RECEIPT_CONTEXT, document)


def is_receipt_of(intake_public_key: str, document: Mapping[str, Any]) -> bool:
    """Return True if intake's key signed this receipt document."""
    return verify_in_context(intake_public_key, RECEIPT_CONTEXT, document)


def sealed_hash(sealed: bytes) -> str:
    """Return SHA-256 of sealed bytes, as a receipt document states it."""
    return hashlib.sha256(sealed).hexdigest()


def roll_line(document: Mapping[str, Any]) -> str:
    """Return the line of the roll for a receipt's last document, without the line feed."""
    return hashlib.sha256(canonical(document)).hexdigest()


def write_roll(lines: Iterable[str]) -> str:
    """Return the roll as text: sorted lines with line feeds."""
    return "".join(f"{line}\n" for line in sorted(lines))


def roll_root(roll: str) -> str:
    """Return the Merkle root of a roll, in hex: each run of 1,024 lines with their line feeds is one leaf."""
    lines = roll.splitlines(keepends=True)
    runs = ("".join(lines[at : at + LEAF_LINES]) for at in range(0, len(lines), LEAF_LINES))
    return root([leaf_hash(run.encode("ascii")) for run in runs]).hex()
