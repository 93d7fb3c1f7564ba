"""Change the roster of handlers: asked for by one person, approved by another in another role (R-S1, R-C13)."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.code_repository import CodeRepository
from services.vault.people.duty import DutyCheck
from services.vault.people.factor_changes import FactorChanges
from services.vault.people.repository import AccountExistsError, AccountRepository, StoredAccount
from services.vault.people.request_repository import RequestRepository, RequestWaitsError
from services.vault.people.rules.account import Account, AccountState, StaffId
from services.vault.people.rules.requests import (
    RequestId,
    RequestKind,
    RequestState,
    RosterRequest,
    may_approve,
    right_to_request,
)
from services.vault.people.rules.staff_mail import StaffMailKind
from shared.errors import KujiError
from shared.staff_roles import Role, may
from shared.state_machine import TransitionError
from shared.storage import Store, UnitOfWork

_SUBSTITUTES: Final = frozenset({Role.HANDLER, Role.RESPONSIBLE})

_OF_TWO: Final = (Role.RESPONSIBLE, Role.WARD)

RosterRefusal = Literal[
    "not-set-up",
    "no-right",
    "exists",
    "waits",
    "unknown",
    "nobody-can-approve",
    "not-the-second",
    "decided",
    "state",
    "no-substitute",
]


class RosterRefusedError(KujiError):
    """Raised when a change of the roster is not possible; texts name the reason by `roster.<reason>`."""

    def __init__(self, reason: RosterRefusal) -> None:
        super().__init__(f"roster: {reason}")
        self.reason: RosterRefusal = reason


@dataclass(frozen=True, repr=False)
class Decided:
    """Outcome of an approval. `code`: the invitation to hand over, shown once; None where there is none."""

    account: StaffId
    code: str | None


class Roster:
    """Requests, approvals, and the first two accounts."""

    def __init__(
        self,
        store: Store,
        accounts: AccountRepository,
        requests: RequestRepository,
        codes: CodeRepository,
        duty: DutyCheck,
        changes: FactorChanges,
        audit: AuditLog,
    ) -> None:
        self._store, self._accounts, self._requests = store, accounts, requests
        self._codes, self._duty, self._changes, self._audit = codes, duty, changes, audit

    async def make_first(self, responsible: Account, ward: Account) -> tuple[str, str]:
        """Make the first two accounts and return their invitation codes. Raises RosterRefusedError later."""
        pair = (responsible, ward)
        invited = [AuditEvent("first-start", "first-start", "invite", made.id, None, None, "done") for made in pair]
        await self._audit.record(invited)

        async def work(uow: UnitOfWork) -> tuple[str, str]:
            await self._accounts.begin_setup(uow, (responsible.id, ward.id))
            for account in pair:
                await self._accounts.insert(uow, replace(account, state=AccountState.INVITED), datetime.now(UTC))
            return (await self._codes.invite(uow, responsible.id), await self._codes.invite(uow, ward.id))

        try:
            return await self._store.transact(work)
        except AccountExistsError:
            raise RosterRefusedError("exists") from None

    async def is_set_up(self) -> bool:
        """Return True once both of the first two people have signed in."""
        return await self._accounts.is_set_up()

    async def roles_of_one(self) -> list[Role]:
        """Return the roles in acts of two people that one person alone can fill today."""
        admitted = [one.account for one in await self._accounts.all() if self._duty.reason(one.account) is None]
        return [role for role in _OF_TWO if sum(role in account.roles for account in admitted) == 1]

    async def ask(
        self, requester: Account, kind: RequestKind, account: StaffId, proposal: Account | None
    ) -> RosterRequest:
        """Record a request. Raises RosterRefusedError, also where nobody could approve it."""
        if not may(requester.roles, right_to_request(kind)):
            raise RosterRefusedError("no-right")
        if not await self.is_set_up():
            raise RosterRefusedError("not-set-up")
        request = RosterRequest(
            RequestId(f"r-{secrets.token_hex(10)}"), kind, account, proposal, requester.id, requester.roles,
            datetime.now(UTC), RequestState.WAITING,
        )  # fmt: skip
        if not any(self._could_approve(request, stored) for stored in await self._accounts.all()):
            raise RosterRefusedError("nobody-can-approve")
        await self._record(requester, f"request-{kind}", account)
        try:
            await self._store.transact(lambda uow: self._insert(uow, request))
        except AccountExistsError:
            raise RosterRefusedError("exists") from None
        except RequestWaitsError:
            raise RosterRefusedError("waits") from None
        return request

    async def approve(self, approver: Account, request_id: RequestId) -> Decided:
        """Execute the request in the approver's transaction. Raises RosterRefusedError."""
        return await self._decide(approver, request_id, RequestState.APPROVED)

    async def refuse(self, approver: Account, request_id: RequestId) -> None:
        """Refuse the request. Raises RosterRefusedError."""
        await self._decide(approver, request_id, RequestState.REFUSED)

    async def _decide(self, approver: Account, request_id: RequestId, state: RequestState) -> Decided:
        request = await self._requests.find_waiting(request_id)
        if request is None:
            raise RosterRefusedError("decided")
        if not may_approve(request, approver.id, approver.roles):
            raise RosterRefusedError("not-the-second")
        await self._record(approver, f"{state}-{request.kind}", request.account)

        async def work(uow: UnitOfWork) -> Decided:
            if not await self._requests.decide(uow, request, state, approver.id):
                raise RosterRefusedError("decided")
            execute = self._execute if state is RequestState.APPROVED else self._drop
            return Decided(request.account, await execute(uow, request))

        try:
            return await self._store.transact(work)
        except TransitionError:
            raise RosterRefusedError("state") from None

    async def _insert(self, uow: UnitOfWork, request: RosterRequest) -> None:
        if request.kind is RequestKind.CREATE and request.proposal is not None:
            await self._accounts.insert(uow, request.proposal, request.requested_at)
        else:
            stored = await self._accounts.find(request.account, uow.session)
            if stored is None:
                raise RosterRefusedError("unknown")
            if stored.account.state not in {AccountState.INVITED, AccountState.ACTIVE}:
                raise RosterRefusedError("state")
            if request.kind is RequestKind.SUBSTITUTE and not self._may_substitute(stored.account):
                raise RosterRefusedError("no-substitute")
        await self._requests.insert(uow, request)

    async def _execute(self, uow: UnitOfWork, request: RosterRequest) -> str | None:
        """Carry out an approved request; return the invitation code where it makes one."""
        stored = await self._accounts.find(request.account, uow.session)
        if stored is None:
            raise RosterRefusedError("unknown")
        account = stored.account
        match request.kind:
            case RequestKind.CREATE:
                await self._accounts.move(uow, account, AccountState.INVITED)
                return await self._codes.invite(uow, account.id)
            case RequestKind.RESET:
                invited = await self._accounts.move(uow, account, AccountState.INVITED)
                await self._changes.publish(uow, invited, StaffMailKind.FACTORS_RESET)
                return await self._codes.invite(uow, account.id)
            case RequestKind.END:
                ended = await self._accounts.move(uow, account, AccountState.ENDED)
                await self._codes.delete_invitations(uow, account.id)
                await self._duty.publish(uow, ended)
                await self._refuse_requests_of(uow, account.id, request)
            case RequestKind.SUBSTITUTE:
                substitute = replace(account, roles=account.roles | {Role.RESPONSIBLE})
                await self._accounts.replace(uow, substitute)
                await self._changes.publish(uow, substitute, StaffMailKind.SUBSTITUTED)
            case RequestKind.CHANGE if request.proposal is not None:
                changed = replace(request.proposal, state=account.state)
                await self._accounts.replace(uow, changed)
                await self._duty.publish(uow, changed)
        return None

    async def _refuse_requests_of(self, uow: UnitOfWork, leaver: StaffId, but: RosterRequest) -> None:
        """Refuse what a person who has left asked for: nothing is done in that person's name any more."""
        for request in await self._requests.waiting(uow.session):
            if request.requested_by == leaver and request.id != but.id:
                await self._requests.decide(uow, request, RequestState.REFUSED, leaver)
                await self._drop(uow, request)

    async def _drop(self, uow: UnitOfWork, request: RosterRequest) -> None:
        """End the requested account of a refused request."""
        stored = await self._accounts.find(request.account, uow.session)
        if request.kind is RequestKind.CREATE and stored is not None:
            await self._accounts.move(uow, stored.account, AccountState.REFUSED)

    def _may_substitute(self, account: Account) -> bool:
        """Return True for a handler on duty who is not responsible yet."""
        return self._duty.reason(account) is None and account.roles & _SUBSTITUTES == {Role.HANDLER}

    def _could_approve(self, request: RosterRequest, stored: StoredAccount) -> bool:
        account = stored.account
        return self._duty.reason(account) is None and may_approve(request, account.id, account.roles)

    async def _record(self, actor: Account, action: str, subject: StaffId) -> None:
        role = "+".join(sorted(actor.roles))
        await self._audit.record([AuditEvent(actor.id, role, action, subject, None, None, "done")])
