"""Sign people in by password and one-time code, with limits that lock nobody out for long (R-S3, NIST SP 800-63B-4)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.duty import DutyCheck, next_moment
from services.vault.people.password_hashes import PasswordHashes
from services.vault.people.repository import AccountRepository, StoredAccount
from services.vault.people.rules.account import Account, AccountState, StaffId, is_staff_id
from services.vault.people.rules.one_time import matching_step
from services.vault.people.session_repository import Method, PreviousSignIn, SessionRepository, StaffSession
from shared.encoding import b64url
from shared.errors import KujiError
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork
from shared.web.attempts import AttemptLimit

_WINDOW_S: Final = 15 * 60
_BY_ACCOUNT: Final = 10
"""Attempts on one account from browsers in which the person never signed in."""
_BY_DEVICE: Final = 10
"""Attempts on one account from one browser in which the person signed in before: strangers do not use these up."""
_BY_ADDRESS: Final = 60

_log = get_logger(__name__)

Refusal = Literal["wrong", "too-many", "not-active", "before-roster", "after-roster", "no-pledge", "no-training"]


class SignInRefusedError(KujiError):
    """Raised when a sign-in fails. `reason` tells of the roster only to a person who showed right factors."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"sign-in refused: {reason}")
        self.reason: Refusal = reason


@dataclass(frozen=True, repr=False)
class PasswordAttempt:
    """Input of a person at the sign-in page, and where it came from."""

    staff_id: str
    password: str
    code: str
    device: str | None
    address: str


@dataclass(frozen=True, repr=False)
class SignedIn:
    """A new session: the cookies' values."""

    staff_id: StaffId
    secret: str
    device: str


@dataclass(frozen=True)
class Present:
    """Person with an open session. `waiting`: approvals that wait for this person."""

    stored: StoredAccount
    session: StaffSession
    waiting: int = 0

    @property
    def account(self) -> Account:
        return self.stored.account


class SignIn:
    """Start sessions, and find out who is there."""

    def __init__(
        self,
        store: Store,
        accounts: AccountRepository,
        sessions: SessionRepository,
        duty: DutyCheck,
        audit: AuditLog,
        hashes: PasswordHashes,
    ) -> None:
        self._store, self._accounts, self._sessions = store, accounts, sessions
        self._duty, self._audit, self._hashes = duty, audit, hashes
        self._by_account, self._by_device = AttemptLimit(_BY_ACCOUNT, _WINDOW_S), AttemptLimit(_BY_DEVICE, _WINDOW_S)
        self._by_address = AttemptLimit(_BY_ADDRESS, _WINDOW_S)

    async def by_password(self, attempt: PasswordAttempt) -> SignedIn:
        """Return a new session. Raises SignInRefusedError."""
        stored = await self.check_factors(attempt)
        return await self.start(stored.account, "password+totp", attempt.device)

    async def check_factors(self, attempt: PasswordAttempt) -> StoredAccount:
        """Return the account whose password and fresh one-time code these are. Raises SignInRefusedError."""
        stored = await self._accounts.find(StaffId(attempt.staff_id)) if is_staff_id(attempt.staff_id) else None
        await self._take_attempt(attempt, stored)
        if not await self._has_factors(stored, attempt) or stored is None:
            if stored is not None:
                await self._accounts.record_failure(stored.account.id)
            _log.warning("sign-in-refused", reason="wrong")
            raise SignInRefusedError("wrong")
        return stored

    async def start(self, account: Account, method: Method, device: str | None) -> SignedIn:
        """Start a session of a person who showed right factors. Raises SignInRefusedError outside the roster."""
        reason = self._duty.reason(account)
        if reason is not None:
            raise SignInRefusedError(reason.value)
        known = device or b64url(secrets.token_bytes(32))
        await self._audit.record([AuditEvent(account.id, _role(account), "sign-in", method, None, None, "done")])

        async def work(uow: UnitOfWork) -> str:
            stored = await self._accounts.find(account.id, uow.session)
            # Not before the end of earlier sign-ins, also where another process with a fast clock set that end.
            now = next_moment() if stored is None else max(next_moment(), stored.not_before)
            previous = PreviousSignIn(stored.last_sign_in, stored.failures) if stored else PreviousSignIn(None, 0)
            await self._accounts.record_sign_in(uow, account.id, device_hash(known), now)
            await self._accounts.record_first_sign_in(uow, account.id)
            return await self._sessions.start(uow, account.id, method, now, previous)

        return SignedIn(account.id, await self._store.transact(work), known)

    async def present(self, secret: str | None) -> Present | None:
        """Return the person of a session that is open and may go on, or None."""
        session = await self._sessions.find(secret) if secret else None
        stored = None if session is None else await self._accounts.find(session.staff_id)
        if session is None or stored is None or stored.not_before > session.auth_time:
            return None
        return Present(stored, session) if self._duty.reason(stored.account) is None else None

    async def verify_password(self, stored: StoredAccount, password: str) -> bool:
        """Return True if this is the person's password."""
        return await self._hashes.verify(stored.factors.password, password)

    async def hash_password(self, password: str) -> str:
        """Return the hash of a new password."""
        return await self._hashes.make(password)

    async def _take_attempt(self, attempt: PasswordAttempt, stored: StoredAccount | None) -> None:
        """Count the attempt. Raises SignInRefusedError where there were too many."""
        device = device_hash(attempt.device) if attempt.device else None
        if stored is not None and device in stored.devices:
            allowed = await self._by_device.take(f"{attempt.staff_id} {device}")
        else:
            allowed = await self._by_address.take(attempt.address) and await self._by_account.take(
                attempt.staff_id[:64]
            )
        if not allowed:
            _log.warning("sign-in-refused", reason="too-many")
            raise SignInRefusedError("too-many")

    async def _has_factors(self, stored: StoredAccount | None, attempt: PasswordAttempt) -> bool:
        """Check password and code. An unknown id takes as long as a wrong password; a code counts once."""
        active = stored is not None and stored.account.state is AccountState.ACTIVE
        factors = stored.factors if stored is not None and active else None
        right = await self._hashes.verify(factors.password if factors else None, attempt.password)
        step = matching_step(factors.totp, attempt.code, datetime.now(UTC)) if factors and factors.totp else None
        if not right or step is None or stored is None:
            return False
        return await self._accounts.use_totp_step(stored.account.id, step)


def device_hash(device: str) -> str:
    """Return the hash under which a browser's device cookie is stored."""
    return hashlib.sha256(b"kuji/device/1\x00" + device.encode("utf-8", "replace")).hexdigest()


def _role(account: Account) -> str:
    return "+".join(sorted(account.roles))
