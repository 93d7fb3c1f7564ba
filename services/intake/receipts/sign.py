"""Sign receipt documents with intake's service key and compute their lines of the roll."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared import receipts
from shared.canonical import canonical
from shared.contracts import Channel, RollLine
from shared.ids import ApplicationId, CampaignId, PaperId, Receipt
from shared.receipt_documents import write_receipt_document
from shared.service_keys import ServiceKey


@dataclass(frozen=True)
class Receiptable:
    """Hold what a receipt document states about one version of an application, or about a paper (version 1)."""

    campaign: CampaignId
    application_id: ApplicationId
    sealed_sha256: str
    at: datetime
    version: int = 1

    @classmethod
    def of_paper(cls, campaign: CampaignId, paper_id: PaperId, sealed_sha256: str, at: datetime) -> "Receiptable":
        """Return what the document of a paper states: the paper's id stands in `application_id`."""
        return cls(campaign, ApplicationId(paper_id), sealed_sha256, truncate_to_milliseconds(at))


@dataclass(frozen=True)
class SignedReceipt:
    """Receipt number and its document: canonical JSON, as it is answered, stored and hashed into the roll."""

    receipt: Receipt
    version: int
    document: str

    @property
    def line(self) -> RollLine:
        """Line of the roll: SHA-256 of the document."""
        return hashlib.sha256(self.document.encode("utf-8")).hexdigest()


class ReceiptSigner:
    """Sign receipt documents."""

    def __init__(self, key: ServiceKey) -> None:
        self._key = key

    def sign(self, receipt: Receipt, stated: Receiptable) -> SignedReceipt:
        """Return the signed document. The same statement gets the same document until the service key is rotated."""
        document = write_receipt_document(
            self._key.signing_key,
            campaign=stated.campaign,
            receipt=receipt,
            application_id=stated.application_id,
            version=stated.version,
            sealed_sha256=stated.sealed_sha256,
            received_at=stated.at,
        )
        return SignedReceipt(receipt, stated.version, canonical(document).decode("utf-8"))

    def candidates(self, receipt_key: bytes, channel: Channel, stated: Receiptable) -> Iterator[SignedReceipt]:
        """Yield signed documents with the numbers that this arrival may get, in order."""
        for receipt in receipts.candidates(receipt_key, channel, stated.application_id):
            yield self.sign(receipt, stated)


def truncate_to_milliseconds(at: datetime) -> datetime:
    """Return the time as the database stores it, so that a repetition publishes the same event."""
    return at.astimezone(UTC) - timedelta(microseconds=at.microsecond % 1000)
