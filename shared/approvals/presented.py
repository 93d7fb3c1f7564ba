"""Executed approvals that a signed-in person presents for one act: checked before it, used in its transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.approvals.document import ApprovalContent, ApprovalId, ApprovalRefusedError
from shared.approvals.gate import Act
from shared.approvals.kinds import ApprovalKind
from shared.approvals.reader import ApprovalReader
from shared.approvals.used import mark_used
from shared.ids import CampaignId
from shared.staff_roles import Role
from shared.storage import UnitOfWork


@dataclass(frozen=True)
class UsedApproval:
    """Approval of an act that takes place. `actor`: the requester, who acts. `approvers`: roles of those who agreed."""

    id: ApprovalId
    actor: str
    approvers: tuple[Role, ...]

    @property
    def approved_as(self) -> str:
        """Roles of the approvers, joined by `+`, for documents that name no person."""
        return "+".join(self.approvers)


@dataclass(frozen=True)
class PresentedApproval:
    """Document that the person `actor` presents. An empty document is refused as `malformed`."""

    reader: ApprovalReader
    document: Mapping[str, object]
    actor: str

    def check(self, kind: ApprovalKind, campaign: CampaignId, params: Mapping[str, object]) -> ApprovalContent:
        """Return the approval if it allows this act now; for checks before long work. Raises ApprovalRefusedError."""
        return self.reader.read(self.document, Act(kind, campaign, params, self.actor))

    async def use(
        self, uow: UnitOfWork, kind: ApprovalKind, campaign: CampaignId, params: Mapping[str, object]
    ) -> UsedApproval:
        """Check it, and mark it as used in the transaction of the act. Raises ApprovalRefusedError.

        `params`: as they are inside this transaction.
        """
        content = self.check(kind, campaign, params)
        await mark_used(uow, content)
        return UsedApproval(content.id, content.requested_by, _roles_of(self.document))


def _roles_of(document: Mapping[str, object]) -> tuple[Role, ...]:
    """Return the roles of the approvers of a document that was verified."""
    given = document["approvals"]
    if not isinstance(given, list):
        raise ApprovalRefusedError("malformed")
    return tuple(Role(one["role"]) for one in given)
