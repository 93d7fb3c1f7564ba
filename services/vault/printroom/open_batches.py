"""Open printed batches for staff: each opening needs an approval of a second handler, and is written down (R-C6)."""

import asyncio
import hashlib

from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.printroom.repository import PrintBatch, PrintBatchRepository
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind, WrongParamsError
from shared.canonical import canonical
from shared.ids import BatchId, CampaignId
from shared.json_types import JsonObject
from shared.paging import PageRequest
from shared.storage import Store, UnitOfWork

PURPOSE = "print"


class PrintedBatches:
    """Batches that were printed."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, gate: ApprovalGate) -> None:
        self._store, self._batches = store, PrintBatchRepository(store)
        self._keystore, self._audit, self._gate = keystore, audit, gate

    async def of(self, campaign: CampaignId, page: PageRequest) -> list[PrintBatch]:
        """Return a page of the batches of the campaign, in the order of their ids."""
        return await self._batches.batches(campaign, page)

    async def params(self, campaign: CampaignId | None, sent: JsonObject) -> JsonObject:
        """Return what an approval names: the batch and its cards. Raises WrongParamsError for an unknown batch."""
        stored = await self._batches.load(CampaignId(str(campaign)), BatchId(str(sent.get("batch"))))
        if stored is None:
            raise WrongParamsError("batch")
        return _params(stored.batch)

    async def pdf(self, campaign: CampaignId, batch_id: BatchId, approval_id: ApprovalId, actor: str) -> bytes | None:
        """Return the pages, after approval and audit line are durable; None if there are none.

        Raises ApprovalRefusedError, KeyDestroyedError.
        """
        stored = await self._batches.load(campaign, batch_id)
        if stored is None:
            return None
        keys = self._keystore.campaign(campaign)
        act = Act(ApprovalKind.PRINT_PDF, campaign, _params(stored.batch), actor)
        await self._gate.check(approval_id, act)
        pages = await asyncio.to_thread(stored.decrypt, keys)

        async def execute(uow: UnitOfWork) -> None:
            people = await self._gate.execute(uow, approval_id, act)
            action = f"open-print-batch:{batch_id}"
            line = AuditEvent(people.everybody, people.roles, action, PURPOSE, campaign, None, "opened")
            await self._audit.record([line])

        await self._store.transact(execute)
        return pages


def _params(batch: PrintBatch) -> JsonObject:
    digest = hashlib.sha256(canonical(list(batch.printed))).hexdigest()
    return {"batch": batch.batch_id, "cards": len(batch.printed), "sha256": digest}
