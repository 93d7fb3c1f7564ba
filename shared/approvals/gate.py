"""The port by which parts of the vault ask for an executed approval within the transaction of their act."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.approvals.document import ApprovalId
from shared.approvals.kinds import ApprovalKind
from shared.ids import CampaignId
from shared.staff_roles import Role
from shared.storage import UnitOfWork


@dataclass(frozen=True)
class Act:
    """An act that needs an approval, with the parameters as they are at this moment."""

    kind: ApprovalKind
    campaign: CampaignId | None
    params: Mapping[str, object]
    actor: str
    """Staff id of the person who acts: the requester alone may."""


@dataclass(frozen=True)
class ExecutedApproval:
    """People behind an act. `approvers`: role and staff id of each, in the order in which they signed."""

    id: ApprovalId
    requested_by: str
    requester_role: Role
    approvers: tuple[tuple[Role, str], ...]
    reason: str

    @property
    def approved_by(self) -> str:
        """Staff ids of the approvers, joined by `+`."""
        return "+".join(person for _, person in self.approvers)

    @property
    def everybody(self) -> str:
        """Staff ids of requester and approvers, joined by `+`, for a line of the audit log."""
        return f"{self.requested_by}+{self.approved_by}"

    @property
    def roles(self) -> str:
        """Their roles, in the same order."""
        return "+".join([self.requester_role.value, *(role.value for role, _ in self.approvers)])

    def person_with(self, role: Role) -> str:
        """Return the person who acted in this role. Raises LookupError where there was none."""
        people = {self.requester_role: self.requested_by, **dict(self.approvers)}
        return people[role]


class ApprovalGate(Protocol):
    """Checks and executes approvals. Both methods raise ApprovalRefusedError."""

    async def check(self, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Return the approval if `execute` would accept it now; for checks before long work."""
        ...

    async def execute(self, uow: UnitOfWork, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Mark the approval as executed, in the transaction of the act: it commits with the act or not at all."""
        ...
