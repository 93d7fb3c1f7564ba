"""A gate that knows some approvals, for tests of acts whose approvals are not their subject."""

from dataclasses import dataclass, field

from shared.approvals import Act, ApprovalId, ApprovalKind, ApprovalRefusedError, ExecutedApproval
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.storage import UnitOfWork

APPROVERS = {
    ApprovalKind.RETURN_PACKAGE: ((Role.RESPONSIBLE, "responsible-1"), (Role.WARD, "ward-1")),
    ApprovalKind.ERASE_CAMPAIGN: ((Role.RESPONSIBLE, "responsible-1"), (Role.WARD, "ward-1")),
}
SECOND = ((Role.RESPONSIBLE, "responsible-1"),)


@dataclass
class KnownApprovals:
    """Gate that allows one act of each number; `executed`: acts by number. `approved`: parameters that must fit."""

    reason: str = "due"
    executed: dict[ApprovalId, Act] = field(default_factory=dict)
    approved: dict[ApprovalId, JsonObject] = field(default_factory=dict)

    def new(self, params: JsonObject | None = None) -> ApprovalId:
        """Return a number that was not used, for these parameters or for any."""
        number = ApprovalId(f"a-{len(self.executed):020x}")
        self.approved |= {} if params is None else {number: params}
        return number

    async def check(self, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Return an approval requested by the person who acts. Raises ApprovalRefusedError for a used number."""
        if approval_id in self.executed:
            raise ApprovalRefusedError("used")
        if self.approved.get(approval_id, act.params) != act.params:
            raise ApprovalRefusedError("other-params")
        return ExecutedApproval(approval_id, act.actor, Role.HANDLER, APPROVERS.get(act.kind, SECOND), self.reason)

    async def execute(self, _: UnitOfWork, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Mark the number as used."""
        executed = await self.check(approval_id, act)
        self.executed[approval_id] = act
        return executed
