"""Order an erasure: two people and a responsible handler, after the ward confirmed the return (R-S7, R-C11)."""

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.return_package import CloseOutRefusedError
from services.vault.closeout.rules.certificate import Approval
from services.vault.closeout.rules.stages import ERASING, Stage
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ErasureRequested
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class ErasureOrders:
    """Take orders. The order, the vault's tombstone and the request to the other services are one transaction."""

    store: Store
    repository: CloseOutRepository
    audit: AuditLog
    clock: Clock

    async def order(self, campaign: Campaign, approval: Approval, reason: str | None) -> None:
        """Order the erasure; ordering it again changes nothing. `reason` is needed before the close-out date only.

        Raises CloseOutRefusedError.
        """
        stage = (await self.repository.find(campaign.id)).stage
        if stage in ERASING or stage is Stage.CERTIFIED:
            return
        self._check(campaign, stage, approval, reason)
        erasure_id = f"erasure-{secrets.token_hex(6)}"
        people = f"{approval.requested_by}+{approval.approved_by}+{approval.responsible}"
        ordered = f"erasure-ordered:{erasure_id}"
        await self.audit.record([AuditEvent(people, "handler", ordered, "erasure", campaign.id, None, reason or "due")])
        order = {"id": erasure_id, **asdict(approval), "at": self.clock.now(), "wall": datetime.now(UTC)}

        async def record_order(uow: UnitOfWork) -> None:
            if await self.repository.advance(campaign.id, Stage.REQUESTED, {"order": order, "answers": {}}, uow=uow):
                await uow.tombstones.put(campaign.id, erasure_id, campaign.sha256, uow.session)
                await uow.emit(ErasureRequested(campaign=campaign.id, erasure_id=erasure_id, phase="erased"))

        await self.store.transact(record_order)

    def _check(self, campaign: Campaign, stage: Stage, approval: Approval, reason: str | None) -> None:
        if approval.requested_by == approval.approved_by:
            raise CloseOutRefusedError("two-people-needed")
        if stage is not Stage.CONFIRMED:
            raise CloseOutRefusedError("return-not-confirmed")
        if self.clock.now() < campaign.close_out and reason is None:
            raise CloseOutRefusedError("before-close-out")
