"""Store papers: id, serial number, receipt document, fingerprint, status. No sealed bytes (ADR 14, ADR 16).

Unique indexes prevent duplicates: the paper's id is the document's id; serial and receipt are unique in a campaign.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from services.intake.applications.repository import SubmissionRepository
from services.intake.receipts.sign import Receiptable, ReceiptSigner
from services.intake.rules.paper_states import IN_THE_ROLL, PAPER_STATES, RECEIPTED_PAPER, PaperStatus
from services.intake.rules.paper_submission import PaperSubmission
from services.intake.rules.submission import hash_sealed
from shared.contracts import ClosedReceipt, PaperChannel
from shared.errors import KujiError
from shared.ids import CampaignId, PaperId, Receipt, Serial
from shared.receipt_documents import ReceiptDocument
from shared.storage import DuplicateKeyError, Store, UnitOfWork, delete_in_chunks

PAPERS: Final = "papers"


class SerialTakenError(KujiError):
    """Raised when another paper of the campaign has this serial number."""


@dataclass(frozen=True)
class StoredPaper:
    """Hold what intake stores of one paper."""

    paper_id: PaperId
    campaign: CampaignId
    channel: PaperChannel
    serial: Serial
    fingerprint: str
    receipt: Receipt
    document: str
    line: str
    status: PaperStatus = PaperStatus.PENDING

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        return cls(
            paper_id=document["_id"],
            campaign=document["campaign"],
            channel=document["channel"],
            serial=document["serial"],
            fingerprint=document["fingerprint"],
            receipt=document["receipt"],
            document=document["document"],
            line=document["line"],
            status=PaperStatus(document["status"]),
        )

    @property
    def stated(self) -> Receiptable:
        """What the paper's receipt document states."""
        document = ReceiptDocument.model_validate_json(self.document)
        at = datetime.fromisoformat(document.received_at)
        return Receiptable.of_paper(self.campaign, self.paper_id, document.sealed_sha256, at)

    def to_document(self) -> dict[str, Any]:
        """Return the document to store."""
        return {
            "_id": self.paper_id,
            "campaign": self.campaign,
            "channel": self.channel,
            "serial": self.serial,
            "fingerprint": self.fingerprint,
            "receipt": self.receipt,
            "document": self.document,
            "line": self.line,
            "status": self.status,
        }


class PaperRepository:
    """Read and write papers; each change of status is one conditional write along `PAPER_STATES`."""

    def __init__(self, store: Store, submissions: SubmissionRepository, signer: ReceiptSigner) -> None:
        self._papers, self._submissions, self._signer = store.db[PAPERS], submissions, signer

    async def add(
        self, campaign: CampaignId, paper: PaperSubmission, fingerprint: str, receipt_key: bytes
    ) -> StoredPaper:
        """Insert a paper as pending, or return the paper that was stored under its id before.

        Raises SerialTakenError if another paper of the campaign has the serial number.
        """
        if (stored := await self.find(paper.paper_id)) is not None:
            return stored
        stated = Receiptable.of_paper(campaign, paper.paper_id, hash_sealed(paper.sealed), paper.received_at)
        for signed in self._signer.candidates(receipt_key, paper.channel, stated):
            if await self._submissions.is_receipt_taken(campaign, signed.receipt):
                continue  # by an application of another paper
            candidate = StoredPaper(
                paper.paper_id,
                campaign,
                paper.channel,
                paper.serial,
                fingerprint,
                signed.receipt,
                signed.document,
                signed.line,
            )
            try:
                await self._papers.insert_one(candidate.to_document() | {"pending_since": datetime.now(UTC)})
            except DuplicateKeyError:
                earlier = await self.find(paper.paper_id)
                if earlier is not None:
                    return earlier
                if await self._papers.find_one({"campaign": campaign, "serial": paper.serial}, {"_id": 1}):
                    raise SerialTakenError("another paper has this serial number") from None
            else:
                return candidate
        raise AssertionError("no receipt number is left")

    async def find(self, paper_id: PaperId, uow: UnitOfWork | None = None) -> StoredPaper | None:
        """Return the paper, or None where intake has none of this id."""
        document = await self._papers.find_one({"_id": paper_id}, session=None if uow is None else uow.session)
        return None if document is None else StoredPaper.from_document(document)

    async def confirm(self, paper_id: PaperId) -> bool:
        """Change pending to received, after the broker has confirmed. Return False if no receipt may be given."""
        pending = {"_id": paper_id, "status": {"$in": PAPER_STATES.before(PaperStatus.RECEIVED)}}
        change = {"$set": {"status": PaperStatus.RECEIVED}, "$unset": {"pending_since": ""}}
        if (await self._papers.update_one(pending, change)).modified_count:
            return True
        paper = await self.find(paper_id)
        return paper is not None and paper.status in RECEIPTED_PAPER

    async def settle(self, campaign: CampaignId, paper_id: PaperId, target: PaperStatus, uow: UnitOfWork) -> bool:
        """Write the vault's result; return False where it was written before.

        Papers that intake does not have (erased, expired) are not inserted.
        """
        earlier = {"_id": paper_id, "campaign": campaign, "status": {"$in": PAPER_STATES.before(target)}}
        change = {"$set": {"status": target}, "$unset": {"pending_since": ""}}
        return bool((await uow.db[PAPERS].update_one(earlier, change, session=uow.session)).modified_count)

    async def is_receipt_taken(self, campaign: CampaignId, receipt: Receipt, uow: UnitOfWork) -> bool:
        """Return True if a paper of the campaign has this receipt number."""
        query = {"campaign": campaign, "receipt": receipt}
        return await uow.db[PAPERS].find_one(query, {"_id": 1}, session=uow.session) is not None

    async def list_receipted(self, campaign: CampaignId, uow: UnitOfWork) -> list[ClosedReceipt]:
        """Return receipt and line of the papers that are no application: an application stands for a keyed one."""
        query = {"campaign": campaign, "status": {"$in": sorted(IN_THE_ROLL)}}
        documents = uow.db[PAPERS].find(query, {"_id": 0, "receipt": 1, "line": 1}, session=uow.session)
        return [ClosedReceipt(**document, version=1) async for document in documents]

    async def count_pending_since(self, campaign: CampaignId, since: datetime) -> int:
        """Return the number of papers that were stored after `since` (wall time) and are still pending."""
        query = {"campaign": campaign, "status": PaperStatus.PENDING, "pending_since": {"$gt": since}}
        return int(await self._papers.count_documents(query))

    async def give_up_pending(self, campaign: CampaignId) -> None:
        """Change every pending paper to late, so that `confirm` returns False for it from now on."""
        pending = {"campaign": campaign, "status": {"$in": PAPER_STATES.before(PaperStatus.LATE)}}
        await self._papers.update_many(pending, {"$set": {"status": PaperStatus.LATE}})

    async def count_unkeyed(self, campaign: CampaignId) -> int:
        """Return the number of papers with a receipt that no handler has keyed or discarded."""
        return int(await self._papers.count_documents({"campaign": campaign, "status": PaperStatus.RECEIVED}))

    async def count_by_status(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of papers by status, pending ones included."""
        groups = self._papers.aggregate(
            [{"$match": {"campaign": campaign}}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}]
        )
        return {group["_id"]: group["count"] async for group in groups}

    async def count(self, campaign: CampaignId) -> int:
        """Return the number of the campaign's papers."""
        return int(await self._papers.count_documents({"campaign": campaign}))

    async def delete(self, campaign: CampaignId) -> None:
        """Delete the campaign's papers. Safe to repeat."""
        await delete_in_chunks(self._papers, {"campaign": campaign})
