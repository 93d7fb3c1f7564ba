"""End sessions: one of the own by its person, all of a person by the responsible handler or the ward (R-S3).

The other services end what began in these sessions within five seconds (`staff.changed`).
"""

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.duty import DutyCheck
from services.vault.people.repository import AccountRepository, StoredAccount
from services.vault.people.rules.account import Account, StaffId
from services.vault.people.session_repository import SessionRepository
from shared.errors import KujiError
from shared.staff_roles import Right, may
from shared.storage import Store, UnitOfWork


class NoRightError(KujiError):
    """Raised when a person may not end the sessions of other people."""


class SessionEnds:
    """A stolen laptop and a lost telephone end here; ending a session needs no second person."""

    def __init__(
        self,
        store: Store,
        accounts: AccountRepository,
        sessions: SessionRepository,
        duty: DutyCheck,
        audit: AuditLog,
    ) -> None:
        self._store, self._accounts, self._sessions = store, accounts, sessions
        self._duty, self._audit = duty, audit

    async def end_one(self, staff_id: StaffId, sid: str) -> None:
        """End one session of the person, here and elsewhere. A session that has ended stays ended."""

        async def end(uow: UnitOfWork) -> None:
            stored = await self._accounts.find(staff_id, uow.session)
            if stored is not None and await self._sessions.end(uow, staff_id, sid):
                await self._record(stored.account, "end-own-session", staff_id)
                await self._duty.publish_ended(uow, stored, sid)

        await self._store.transact(end)

    async def end_all(self, actor: Account, staff_id: StaffId) -> bool:
        """End all sessions of a person; return False if there is no such account. Raises NoRightError."""
        if not may(actor.roles, Right.END_SESSIONS):
            raise NoRightError("another person's sessions are ended by the responsible handler or the ward")
        if await self._accounts.find(staff_id) is None:
            return False
        await self._record(actor, "end-sessions", staff_id)

        async def end(uow: UnitOfWork) -> StoredAccount | None:
            stored = await self._accounts.find(staff_id, uow.session)
            if stored is not None:
                await self._duty.publish(uow, stored.account)
            return stored

        return await self._store.transact(end) is not None

    async def _record(self, actor: Account, action: str, staff_id: StaffId) -> None:
        role = "+".join(sorted(actor.roles))
        await self._audit.record([AuditEvent(actor.id, role, action, staff_id, None, None, "done")])
