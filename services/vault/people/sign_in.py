"""Sign people in by password and one-time code, with limits that lock nobody out for long (R-S3, NIST SP 800-63B-4)."""

import hashlib
import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.duty import DutyCheck, next_moment
from services.vault.people.password_hashes import PasswordHashes
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.repository import AccountRepository, StoredAccount
from services.vault.people.rules.account import Account, AccountState, StaffId, is_staff_id
from services.vault.people.rules.one_time import matching_step
from services.vault.people.session_repository import Method, PreviousSignIn, SessionRepository, StaffSession
from services.vault.people.sign_in_limits import Place, SignInLimits
from shared.encoding import b64url
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)


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
        self._limits = SignInLimits()

    async def by_password(self, attempt: PasswordAttempt) -> SignedIn:
        """Return a new session. Raises SignInRefusedError."""
        stored = await self.check_factors(attempt)
        return await self.start(stored.account, "password+totp", attempt.device, attempt.address)

    async def check_factors(self, attempt: PasswordAttempt) -> StoredAccount:
        """Return the account whose password and fresh one-time code these are. Raises SignInRefusedError."""
        stored = await self._accounts.find(StaffId(attempt.staff_id)) if is_staff_id(attempt.staff_id) else None
        place = self._place_of(attempt, stored)
        # First the line: what it refuses fills no table of the limits and uses up no attempt of the person.
        with nullcontext() if place.is_known else self._hashes.turn_of_unknown():
            async with self._limits.attempt(place) as outcome:
                outcome.is_right = await self._has_factors(stored, attempt, place)
        if not outcome.is_right or stored is None:
            if stored is None:
                await self._accounts.record_failure_of_unknown()
            else:
                await self._accounts.record_failure(stored.account.id)
            _log.warning("sign-in-refused", reason="wrong")
            raise SignInRefusedError("wrong")
        return stored

    async def start(self, account: Account, method: Method, device: str | None, address: str | None = None) -> SignedIn:
        """Start a session of a person who showed right factors. Raises SignInRefusedError outside the roster.

        `address`: where the factors came from; it is known from then on, as the browser is.
        """
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
            await self._accounts.record_sign_in(uow, account.id, device_hash(known), now, address)
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
        return await self._hashes.verify(stored.factors.password, password, is_known=True)

    async def hash_password(self, password: str) -> str:
        """Return the hash of a new password."""
        return await self._hashes.make(password)

    def _place_of(self, attempt: PasswordAttempt, stored: StoredAccount | None) -> Place:
        """Return where the attempt comes from, and whether the person signed in there before."""
        device = None if attempt.device is None else device_hash(attempt.device)
        if stored is None:
            return Place(attempt.staff_id, attempt.address, None, is_known_address=False)
        known = self._accounts.address_hash(stored.account.id, attempt.address) in stored.addresses
        return Place(attempt.staff_id, attempt.address, device if device in stored.devices else None, known)

    async def _has_factors(self, stored: StoredAccount | None, attempt: PasswordAttempt, place: Place) -> bool:
        """Check password and code. An unknown id takes as long as a wrong password; a code counts once."""
        active = stored is not None and stored.account.state is AccountState.ACTIVE
        factors = stored.factors if stored is not None and active else None
        stored_hash = factors.password if factors else None
        right = await self._hashes.verify(stored_hash, attempt.password, is_known=place.is_known)
        if not right or factors is None or stored is None:
            return False
        async with self._limits.code(place) as outcome:
            if outcome is None or factors.totp is None:
                return False
            step = matching_step(factors.totp, attempt.code, datetime.now(UTC))
            outcome.is_right = step is not None and await self._accounts.use_totp_step(stored.account.id, step)
            return outcome.is_right


def device_hash(device: str) -> str:
    """Return the hash under which a browser's device cookie is stored."""
    return hashlib.sha256(b"kuji/device/1\x00" + device.encode("utf-8", "replace")).hexdigest()


def _role(account: Account) -> str:
    return "+".join(sorted(account.roles))
