"""Order an erasure: by an approval in which the ward agreed, after the ward confirmed the return (R-S7, R-C11)."""

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from services.vault.audit import AuditEvent, AuditLog
from services.vault.closeout.person_names import count_without_verdict
from services.vault.closeout.refusals import CloseOutRefusedError
from services.vault.closeout.repository import CloseOutRepository
from services.vault.closeout.return_package import ReturnPackages
from services.vault.closeout.rules.certificate import Approval
from services.vault.closeout.rules.stages import ERASING, Stage
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import ErasureRequested
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

DUE: Final = "due"
"""Reason of an erasure on or after the close-out date."""


@dataclass(frozen=True)
class ErasureOrders:
    """Take orders. The order, the vault's tombstone and the request to the other services are one transaction."""

    store: Store
    repository: CloseOutRepository
    audit: AuditLog
    clock: Clock
    gate: ApprovalGate
    returns: ReturnPackages

    async def params(self, campaign: CampaignId) -> JsonObject:
        """Return what an approval of the erasure names: the package that the ward confirmed, and how much is erased.

        Raises CloseOutRefusedError before the ward's confirmation.
        """
        record = await self.repository.find(campaign)
        if record.stage is not Stage.CONFIRMED or record.package is None:
            raise CloseOutRefusedError("return-not-confirmed")
        return {
            "package_sha256": record.package.sha256,
            "applications": await self.returns.count_applications(campaign),
        }

    async def order(self, campaign: Campaign, approval_id: ApprovalId, actor: str) -> None:
        """Order the erasure; ordering it again changes nothing. Before the close-out date the reason is not `due`.

        The erasure of one person comes first, up to its certificate: what it knows of the person goes with it. Raises
        CloseOutRefusedError, ApprovalRefusedError.
        """
        stage = (await self.repository.find(campaign.id)).stage
        if stage in ERASING or stage is Stage.CERTIFIED:
            return
        if await count_without_verdict(self.store, campaign.id):
            raise CloseOutRefusedError("person-erasure-under-way")
        act = Act(ApprovalKind.ERASE_CAMPAIGN, campaign.id, await self.params(campaign.id), actor)
        people = await self.gate.check(approval_id, act)
        if self.clock.now() < campaign.close_out and people.reason == DUE:
            raise CloseOutRefusedError("before-close-out")
        erasure_id = f"erasure-{secrets.token_hex(6)}"
        action = f"erasure-ordered:{erasure_id}"
        line = AuditEvent(people.everybody, people.roles, action, "erasure", campaign.id, None, people.reason)
        await self.audit.record([line])
        approval = Approval(people.requested_by, people.approved_by, people.person_with(Role.RESPONSIBLE))
        order = {"id": erasure_id, **asdict(approval), "at": self.clock.now(), "wall": datetime.now(UTC)}

        async def record_order(uow: UnitOfWork) -> None:
            await self.gate.execute(uow, approval_id, act)
            if await self.repository.advance(campaign.id, Stage.REQUESTED, {"order": order, "answers": {}}, uow=uow):
                await uow.tombstones.put(campaign.id, erasure_id, campaign.sha256, uow.session)
                await uow.emit(ErasureRequested(campaign=campaign.id, erasure_id=erasure_id, phase="erased"))

        await self.store.transact(record_order)
