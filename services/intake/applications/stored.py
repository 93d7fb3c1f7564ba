"""Describe what intake stores of one application: no sealed bytes, no person, no class."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services.intake.receipts.sign import SignedReceipt
from services.intake.rules.states import RECEIPTED, Status
from shared.codes import ProofDigest
from shared.contracts import Channel
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.json_types import JsonObject


@dataclass(frozen=True)
class Arrival:
    """Describe an application that arrives. `at`: domain time of its first arrival; repetitions keep it."""

    application_id: ApplicationId
    campaign: CampaignId
    channel: Channel
    fingerprint: str
    proof_sha256: ProofDigest
    at: datetime


@dataclass(frozen=True)
class StoredSubmission:
    """Hold what intake stores of one application.

    `document`: receipt document of version 1. `version`, `line`, `status` and `reasons`: of the last version.
    """

    arrival: Arrival
    receipt: Receipt
    document: str
    line: str
    version: int = 1
    status: Status = Status.PENDING
    reasons: tuple[str, ...] = ()
    revision: int = 0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        arrival = Arrival(
            application_id=document["_id"],
            campaign=document["campaign"],
            channel=document["channel"],
            fingerprint=document["fingerprint"],
            proof_sha256=document["proof_sha256"],
            at=document["recorded_at"],
        )
        return cls(
            arrival,
            receipt=document["receipt"],
            document=document["document"],
            line=document["line"],
            version=document["version"],
            status=Status(document["status"]),
            reasons=tuple(document["reasons"]),
            revision=document["revision"],
        )

    @classmethod
    def of_receipt(cls, arrival: Arrival, signed: SignedReceipt, status: Status = Status.PENDING) -> Self:
        """Return the record of a new application."""
        return cls(arrival, signed.receipt, signed.document, signed.line, status=status)

    @property
    def has_receipt(self) -> bool:
        """True if the applicant may have the receipt document."""
        return self.status in RECEIPTED

    def to_document(self) -> JsonObject:
        """Return the document to store."""
        return {
            "_id": self.arrival.application_id,
            "campaign": self.arrival.campaign,
            "channel": self.arrival.channel,
            "fingerprint": self.arrival.fingerprint,
            "proof_sha256": self.arrival.proof_sha256,
            "receipt": self.receipt,
            "document": self.document,
            "version": self.version,
            "line": self.line,
            "status": self.status,
            "reasons": list(self.reasons),
            "revision": self.revision,
            "recorded_at": self.arrival.at,
        }
