"""Sign-in of a terminal: a signed-in person's page shows a code, the terminal takes it and acts within that sign-in."""

from dataclasses import dataclass

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.code_repository import CodeRepository
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.rules.account import StaffId
from services.vault.people.session_repository import SessionRepository
from services.vault.people.sign_in import Present
from shared.storage import Store, UnitOfWork
from shared.web.attempts import AttemptLimit

_ATTEMPTS, _WINDOW_S = 20, 15 * 60


@dataclass(frozen=True, repr=False)
class TerminalSession:
    """Session of a terminal; `secret` is what it sends as a cookie, as a browser does."""

    staff_id: StaffId
    secret: str


class TerminalSignIn:
    """Codes live five minutes and count once; the terminal's session ends with the sign-in that it came from."""

    def __init__(self, store: Store, codes: CodeRepository, sessions: SessionRepository, audit: AuditLog) -> None:
        self._store, self._codes, self._sessions, self._audit = store, codes, sessions, audit
        self._attempts = AttemptLimit(_ATTEMPTS, _WINDOW_S)

    async def make_code(self, present: Present) -> str:
        """Return a code to type at the terminal."""
        return await self._store.transact(
            lambda uow: self._codes.make_terminal_code(uow, present.account.id, present.session.sid)
        )

    async def start(self, code: str, address: str) -> TerminalSession | None:
        """Return a session for the code; None where it was taken, has expired, or its sign-in has ended.

        Raises SignInRefusedError where the address sent too many wrong codes. A right one passes: nobody finds one of
        80 bits, and who has it is not kept out by others at the address.
        """
        sid = await self._codes.take_terminal_code(code)
        if sid is None and not await self._attempts.take(address):
            raise SignInRefusedError("too-many")

        async def work(uow: UnitOfWork) -> TerminalSession | None:
            started = await self._sessions.start_at_terminal(uow, sid) if sid else None
            if started is None:
                return None
            staff_id = started[1].staff_id
            await self._audit.record([AuditEvent(staff_id, "staff", "sign-in", "terminal", None, None, "done")])
            return TerminalSession(staff_id, started[0])

        return await self._store.transact(work)
