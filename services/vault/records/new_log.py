"""Open a new audit log after the one in use was cut: an act of two people (R-C7; docs/protocols.md §6)."""

from services.vault.audit import AuditEvent, AuditLog
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind
from shared.storage import Store, UnitOfWork


class NewAuditLog:
    """Act that opens a log. Notices, reception and draw go on before and after it."""

    def __init__(self, store: Store, audit: AuditLog, gate: ApprovalGate) -> None:
        self._store, self._audit, self._gate = store, audit, gate

    async def open(self, approval_id: ApprovalId, actor: str) -> int:
        """Return the number of the new log. Raises NotCutError, ApprovalRefusedError."""
        act = Act(ApprovalKind.OPEN_AUDIT_LOG, None, self._audit.new_log_params(), actor)

        async def execute(uow: UnitOfWork) -> int:
            people = await self._gate.execute(uow, approval_id, act)
            action = f"open-audit-log:{approval_id}"
            event = AuditEvent(people.everybody, people.roles, action, "audit", None, None, people.reason)
            return await self._audit.open_new_log(event)

        return await self._store.transact(execute)
