"""Let the vault's own acts happen with an approval only: checked before, executed in the act's transaction."""

from dataclasses import replace
from datetime import UTC, datetime

from services.vault.approvals.repository import ApprovalRepository
from services.vault.approvals.rules.approval import Approval, ApprovalState
from services.vault.audit import AuditEvent, AuditLog
from shared.approvals import Act, ApprovalId, ApprovalRefusedError, ExecutedApproval, GivenApproval, write_approval
from shared.approvals.document import ApprovalContent, have_same_params
from shared.json_types import JsonObject
from shared.signing import SigningKey
from shared.storage import UnitOfWork


class VaultApprovalGate:
    """The `ApprovalGate` of a vault process."""

    def __init__(self, repository: ApprovalRepository, audit: AuditLog, signing: SigningKey) -> None:
        self._repository, self._audit, self._signing = repository, audit, signing

    async def check(self, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Return the approval if it allows this act now. Raises ApprovalRefusedError."""
        return _people(_allowing(await self._repository.find(approval_id), act))

    async def execute(self, uow: UnitOfWork, approval_id: ApprovalId, act: Act) -> ExecutedApproval:
        """Mark the approval as executed in the transaction of the act. Raises ApprovalRefusedError."""
        current = _allowing(await self._repository.find(approval_id, uow.session), act)
        await self.write_executed(uow, current)
        return _people(current)

    async def write_executed(self, uow: UnitOfWork, current: Approval) -> JsonObject:
        """Write and return the executed document. Raises ApprovalRefusedError where another process was first."""
        now, content = datetime.now(UTC), current.content
        given = [GivenApproval(one.role, one.at, one.method) for one in current.signatures]
        document = write_approval(self._signing, content, given, now)
        executed = replace(current, state=ApprovalState.EXECUTED, executed_at=now, executed=document)
        role = current.requester_role.value
        await self._audit.record([approval_line(content.requested_by, role, "execute", content, "done")])
        if not await self._repository.replace(uow, executed, current.state):
            raise ApprovalRefusedError("used")
        return document


def approval_line(actor: str, role: str, action: str, content: ApprovalContent, outcome: str) -> AuditEvent:
    """Return the audit line of one step of an approval."""
    step = f"{action}-approval:{content.id}"
    return AuditEvent(actor, role, step, content.kind.value, content.campaign, None, outcome)


def _allowing(approval: Approval | None, act: Act) -> Approval:
    """Return the approval if it allows the act. Raises ApprovalRefusedError."""
    if approval is None or approval.state is ApprovalState.DRAFT:
        raise ApprovalRefusedError("unknown")
    content = approval.content
    if content.kind is not act.kind:
        raise ApprovalRefusedError("other-kind")
    if content.campaign != act.campaign:
        raise ApprovalRefusedError("other-campaign")
    if content.requested_by != act.actor:
        raise ApprovalRefusedError("other-person")
    if approval.state is ApprovalState.EXECUTED:
        raise ApprovalRefusedError("used")
    if datetime.now(UTC) >= content.expires:
        raise ApprovalRefusedError("expired")
    if approval.state is not ApprovalState.APPROVED:
        raise ApprovalRefusedError("not-approved")
    if not have_same_params(content.kind, content.params, act.params):
        raise ApprovalRefusedError("other-params")
    return approval


def _people(approval: Approval) -> ExecutedApproval:
    approvers = tuple((signature.role, signature.by) for signature in approval.signatures)
    content = approval.content
    return ExecutedApproval(content.id, content.requested_by, approval.requester_role, approvers, content.reason)
