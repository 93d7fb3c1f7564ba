"""Applicants as the services know them: application id, code, receipt number, and what is derived from them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.codes import Code, EntryId, ProofDigest, entry_id, lottery_proof, new_code, proof_digest
from shared.contracts import (
    AcceptedApplication,
    Channel,
    Choice,
    ClosedReceipt,
    HeldApplication,
    ReceiptsClosed,
    RejectedApplication,
)
from shared.ids import ApplicationId, CampaignId, Receipt, Token, new_application_id, new_token
from shared.json_types import JsonObject
from shared.receipt_documents import roll_line, write_receipt_document
from shared.receipts import candidates
from tests.support.service_keys import service_key

RECEIPT_KEY = b"the receipt key of the tests ..."
RECEIVED_AT = datetime(2018, 5, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Applicant:
    """One application of a campaign, with its code."""

    campaign: CampaignId
    application_id: ApplicationId
    code: Code
    channel: Channel
    receipt: Receipt
    entry: EntryId
    token: Token

    @property
    def proof(self) -> str:
        """Proof for the lottery."""
        return lottery_proof(self.campaign, self.entry, self.code)

    @property
    def digest(self) -> ProofDigest:
        """Digest of the proof, as the lottery stores it."""
        return proof_digest(self.proof)

    def accepted(
        self, choices: Iterable[tuple[Any, int]], *, version: int = 1, revision: int = 1
    ) -> AcceptedApplication:
        """Return the vault's verdict that the application is an entry."""
        wanted = tuple(Choice(class_id=class_id, seats=seats) for class_id, seats in choices)
        return AcceptedApplication(**self._verdict(version, revision), choices=wanted)

    def held(self, *, version: int = 1, revision: int = 1) -> HeldApplication:
        """Return the vault's verdict that the application waits for the desk."""
        return HeldApplication(**self._verdict(version, revision))

    def rejected(self, *reasons: str, version: int = 1, revision: int = 1, **changes: Any) -> RejectedApplication:
        """Return the vault's verdict that the application is not in the draw."""
        members = {**self._verdict(version, revision), "verdict": "rejected", "reasons": reasons, **changes}
        return RejectedApplication(**members)

    def closed(self, version: int = 1) -> ClosedReceipt:
        """Return the receipt as the roll names it."""
        return ClosedReceipt(receipt=self.receipt, version=version, line=roll_line(self.document(version)))

    def document(self, version: int = 1) -> JsonObject:
        """Return the receipt document of a version, signed by the tests' intake; its sealed bytes are invented."""
        return write_receipt_document(
            service_key("intake").signing_key,
            campaign=self.campaign,
            receipt=self.receipt,
            application_id=self.application_id,
            version=version,
            sealed_sha256=hashlib.sha256(f"{self.receipt} {version}".encode()).hexdigest(),
            received_at=RECEIVED_AT,
        )

    def _verdict(self, version: int, revision: int) -> dict[str, Any]:
        return {
            "receipt": self.receipt,
            "version": version,
            "entry": self.entry,
            "proof_sha256": self.digest,
            "token": self.token,
            "channel": self.channel,
            "revision": revision,
        }


def new_applicant(campaign: CampaignId, channel: Channel = "web") -> Applicant:
    """Return an application of nobody else."""
    application_id = new_application_id()
    code = new_code(campaign, application_id)
    receipt = next(candidates(RECEIPT_KEY, channel, application_id))
    entry = entry_id(campaign, application_id, code)
    return Applicant(campaign, application_id, code, channel, receipt, entry, new_token())


def roll_of(campaign: CampaignId, applicants: Iterable[Applicant]) -> ReceiptsClosed:
    """Return the whole roll in one part."""
    items = tuple(applicant.closed() for applicant in applicants)
    return ReceiptsClosed(campaign=campaign, part=1, parts=1, total=len(items), items=items)
