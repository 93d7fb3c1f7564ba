"""Request, sign, refuse and execute approvals. Each step is a line of the audit log (R-C7, R-S5)."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

from services.vault.approvals.factors import Factor, FactorCheck
from services.vault.approvals.gate import VaultApprovalGate, approval_line
from services.vault.approvals.repository import ApprovalRepository
from services.vault.approvals.rules.approval import Approval, ApprovalState, choose_role, missing_roles
from services.vault.approvals.subjects import Subjects
from services.vault.audit import AuditLog
from services.vault.people.duty import DutyCheck
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account, StaffId
from services.vault.people.rules.staff_mail import StaffMailKind
from services.vault.people.staff_mail_repository import StaffMailRepository
from shared.approvals import NOT_TAKEN, RULES, ApprovalContent, ApprovalId, ApprovalKind, WrongParamsError, check_params
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork

_OWN: Final = "vault"

RequestRefusal = Literal[
    "no-right", "not-set-up", "not-here", "wrong-params", "wrong-reason", "nobody-can-approve", "not-yours",
    "not-the-second", "decided", "unknown",
]  # fmt: skip


class RequestRefusedError(KujiError):
    """Raised when a step is not possible; texts name the reason by `approval.wrong.<reason>`.

    `roles`: those that nobody on duty could fill beside the others.
    """

    def __init__(self, reason: RequestRefusal, roles: tuple[frozenset[Role], ...] = ()) -> None:
        super().__init__(f"approval: {reason}")
        self.reason: RequestRefusal = reason
        self.roles = roles


class Approvals:
    """Approvals of one installation."""

    def __init__(
        self,
        store: Store,
        repository: ApprovalRepository,
        factors: FactorCheck,
        accounts: AccountRepository,
        duty: DutyCheck,
        mails: StaffMailRepository,
        audit: AuditLog,
        gate: VaultApprovalGate,
        subjects: Subjects,
    ) -> None:
        self._store, self.repository, self.factors = store, repository, factors
        self._accounts, self._duty, self._mails, self._audit = accounts, duty, mails, audit
        self._gate, self.subjects = gate, subjects

    async def draft(
        self, requester: Account, kind: ApprovalKind, campaign: CampaignId | None, sent: JsonObject, reason: str
    ) -> Approval:
        """Write a request for its requester to sign. Raises RequestRefusedError, also where nobody could approve it."""
        rule, role = RULES[kind], choose_role(kind, requester.roles)
        if role is None:
            raise RequestRefusedError("no-right")
        if not await self._accounts.is_set_up():
            raise RequestRefusedError("not-set-up")
        if reason not in rule.reasons:
            raise RequestRefusedError("wrong-reason")
        now = datetime.now(UTC)
        content = ApprovalContent(
            ApprovalId(f"a-{secrets.token_hex(10)}"), kind, campaign, await self._params(kind, campaign, sent), reason,
            requester.id, now, now + rule.life,
        )  # fmt: skip
        approval = Approval(content, role, ApprovalState.DRAFT)
        if missing := missing_roles(approval, await self._on_duty()):
            raise RequestRefusedError("nobody-can-approve", missing)
        await self.repository.insert(approval)
        return approval

    async def sign(self, person: Account, approval_id: ApprovalId, factor: Factor) -> Approval:
        """Sign as the requester of a draft, or as an approver. Raises RequestRefusedError, SignInRefusedError."""
        known = await self._find(approval_id)
        self._role(known, person)
        signature = await self.factors.sign(person, known, self._role(known, person), factor)

        async def write(uow: UnitOfWork) -> Approval:
            current = await self.repository.find(approval_id, uow.session)
            if current is None:
                raise RequestRefusedError("unknown")
            signed = current.with_signature(replace(signature, role=self._role(current, person)))
            action = "request" if current.state is ApprovalState.DRAFT else "approve"
            await self._record(person, action, signed, signature.method)
            if not await self.repository.replace(uow, signed, current.state):
                raise RequestRefusedError("decided")
            receivers = [account.id for account in await self._approvers(signed, uow)]
            await self._mails.insert(uow, StaffMailKind.APPROVAL_WAITS, StaffId(signed.content.requested_by), receivers)
            return signed

        return await self._store.transact(write)

    async def refuse(self, person: Account, approval_id: ApprovalId) -> Approval:
        """Refuse as a possible approver, or withdraw as the requester. Raises RequestRefusedError."""

        async def write(uow: UnitOfWork) -> Approval:
            current = await self.repository.find(approval_id, uow.session)
            if current is None or not current.is_open(datetime.now(UTC)) or current.state is ApprovalState.DRAFT:
                raise RequestRefusedError("decided" if current else "unknown")
            mine = current.content.requested_by == person.id
            if not mine and not person.roles & RULES[current.content.kind].approvers:
                raise RequestRefusedError("not-the-second")
            state = ApprovalState.WITHDRAWN if mine else ApprovalState.REFUSED
            ended = replace(current, state=state, decided_by=person.id)
            await self._record(person, "withdraw" if mine else "refuse", ended, "done")
            if not await self.repository.replace(uow, ended, current.state):
                raise RequestRefusedError("decided")
            return ended

        return await self._store.transact(write)

    async def hand_out(self, person: Account, approval_id: ApprovalId) -> JsonObject:
        """Return the executed document for the service that acts; the same one each time while it has not expired.

        Raises RequestRefusedError: the requester alone takes it, and the vault's own acts need none.
        """
        known = await self._find(approval_id)
        if known.content.requested_by != person.id:
            raise RequestRefusedError("not-yours")
        if RULES[known.content.kind].executed_by == _OWN:
            raise RequestRefusedError("not-here")

        async def write(uow: UnitOfWork) -> JsonObject:
            current = await self.repository.find(approval_id, uow.session)
            if current is not None and current.executed is not None and datetime.now(UTC) < current.content.expires:
                return current.executed
            if current is None or current.state is not ApprovalState.APPROVED or not current.is_open(datetime.now(UTC)):
                raise RequestRefusedError("decided")
            return await self._gate.write_executed(uow, current)

        return await self._store.transact(write)

    async def waiting_for(self, person: Account) -> list[Approval]:
        """Return the approvals that this person could sign now."""
        now = datetime.now(UTC)
        waiting = await self.repository.open(now)
        return [approval for approval in waiting if approval.role_of(person.id, person.roles, now) is not None]

    def executes(self, kind: ApprovalKind) -> bool:
        """Return True if a service takes approvals of this kind."""
        return kind not in NOT_TAKEN and (RULES[kind].executed_by != _OWN or kind in self.subjects.params)

    async def find(self, approval_id: str) -> Approval | None:
        """Return an approval, or None."""
        return await self.repository.find(ApprovalId(approval_id))

    async def _approvers(self, approval: Approval, uow: UnitOfWork) -> list[Account]:
        """Return the people on duty who could sign it now."""
        now = datetime.now(UTC)
        accounts = [stored.account for stored in await self._accounts.all(uow.session)]
        return [
            account
            for account in accounts
            if self._duty.reason(account) is None and approval.role_of(account.id, account.roles, now) is not None
        ]

    async def _params(self, kind: ApprovalKind, campaign: CampaignId | None, sent: JsonObject) -> JsonObject:
        """Return the parameters as they are now; those of other services are as sent, and checked there again."""
        if not self.executes(kind):
            raise RequestRefusedError("not-here")
        current = self.subjects.params.get(kind)
        try:
            return check_params(kind, sent if current is None else await current(campaign, sent))
        except WrongParamsError:
            raise RequestRefusedError("wrong-params") from None

    async def _find(self, approval_id: ApprovalId) -> Approval:
        found = await self.repository.find(approval_id)
        if found is None:
            raise RequestRefusedError("unknown")
        return found

    def _role(self, approval: Approval, person: Account) -> Role:
        """Return the role in which the person signs now. Raises RequestRefusedError."""
        now = datetime.now(UTC)
        if approval.state is ApprovalState.DRAFT and approval.content.requested_by == person.id:
            return approval.requester_role
        role = approval.role_of(person.id, person.roles, now)
        if role is None:
            still_open = approval.state is ApprovalState.WAITING and approval.is_open(now)
            raise RequestRefusedError("not-the-second" if still_open else "decided")
        return role

    async def _on_duty(self) -> dict[str, frozenset[Role]]:
        accounts = [stored.account for stored in await self._accounts.all()]
        return {account.id: account.roles for account in accounts if self._duty.reason(account) is None}

    async def _record(self, person: Account, action: str, approval: Approval, outcome: str) -> None:
        role = "+".join(sorted(person.roles))
        await self._audit.record([approval_line(person.id, role, action, approval.content, outcome)])
