"""Settle papers: give each application that the vault made of a paper a receipt number and a receipt document.

The paper's state, the applications and the answer to the vault are committed together, so nothing is lost where either
service ends in between. The first application keeps the paper's receipt number; its document replaces the paper's in
the roll.
"""

import hashlib
from dataclasses import replace

from services.intake.applications.repository import SubmissionRepository
from services.intake.applications.stored import Arrival, StoredSubmission
from services.intake.papers.repository import PaperRepository, StoredPaper
from services.intake.receipts.key_repository import ReceiptKeyRepository
from services.intake.receipts.sign import Receiptable, ReceiptSigner, SignedReceipt
from services.intake.rules.paper_states import PaperStatus
from services.intake.rules.states import Status
from shared.contracts import AssignedReceipt, KeyedApplication, PaperSettled, ReceiptsAssigned
from shared.ids import derived_event_id
from shared.storage import UnitOfWork


class PaperSettlement:
    """Settle papers as the vault says."""

    def __init__(
        self,
        papers: PaperRepository,
        submissions: SubmissionRepository,
        receipt_keys: ReceiptKeyRepository,
        signer: ReceiptSigner,
    ) -> None:
        self._papers, self._submissions = papers, submissions
        self._receipt_keys, self._signer = receipt_keys, signer

    async def settle(self, event: PaperSettled, uow: UnitOfWork) -> None:
        """Write what became of a paper; answer a keyed one with `receipts.assigned`. Raises NoReceiptKeyError."""
        paper = await self._papers.find(event.paper_id, uow)
        if paper is None or not await self._papers.settle(
            event.campaign, event.paper_id, PaperStatus(event.state), uow
        ):
            return
        assigned = [await self._add(paper, keyed, uow, first=not at) for at, keyed in enumerate(event.applications)]
        if assigned:
            answer = ReceiptsAssigned(campaign=event.campaign, paper_id=event.paper_id, items=tuple(assigned))
            await uow.emit(answer, derived_event_id(ReceiptsAssigned.name, event.paper_id))

    async def _add(
        self, paper: StoredPaper, keyed: KeyedApplication, uow: UnitOfWork, *, first: bool
    ) -> AssignedReceipt:
        stated = replace(paper.stated, application_id=keyed.application_id)
        signed = self._signer.sign(paper.receipt, stated) if first else await self._choose_number(paper, stated, uow)
        arrival = Arrival(
            application_id=keyed.application_id,
            campaign=paper.campaign,
            channel=paper.channel,
            fingerprint=hashlib.sha256(f"paper\x00{paper.paper_id}\x00{keyed.application_id}".encode()).hexdigest(),
            proof_sha256=keyed.proof_sha256,
            at=stated.at,
        )
        await self._submissions.add_settled(StoredSubmission.of_receipt(arrival, signed, Status.RECEIVED), uow)
        return AssignedReceipt(application_id=keyed.application_id, receipt=signed.receipt)

    async def _choose_number(self, paper: StoredPaper, stated: Receiptable, uow: UnitOfWork) -> SignedReceipt:
        receipt_key = await self._receipt_keys.find(paper.campaign)
        for signed in self._signer.candidates(receipt_key, paper.channel, stated):
            by_application = await self._submissions.is_receipt_taken(paper.campaign, signed.receipt, uow)
            if not by_application and not await self._papers.is_receipt_taken(paper.campaign, signed.receipt, uow):
                return signed
        raise AssertionError("no receipt number is left")
