"""Invitations: a person alone chooses password and app, and whoever asked for the invitation never sees them (R-S3)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.account_documents import Factors
from services.vault.people.code_repository import CodeRepository, Invitation
from services.vault.people.factor_changes import FactorChanges
from services.vault.people.passkey_repository import PasskeyRepository
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account, AccountState, StaffId, is_staff_id
from services.vault.people.rules.one_time import matching_step
from services.vault.people.rules.passwords import find_mistake
from services.vault.people.rules.staff_mail import StaffMailKind
from services.vault.people.sign_in import Present, SignedIn, SignIn
from shared.campaign import Campaign
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.storage import Store, UnitOfWork
from shared.web.attempts import AttemptLimit

_ATTEMPTS: Final = 20
_WINDOW_S: Final = 15 * 60

_LookUp = Callable[[StaffId, str], Awaitable[Invitation | None]]

EnrolmentRefusal = Literal[
    "no-invitation",
    "too-many",
    "wrong-password",
    "differ",
    "wrong-code",
    "too-short",
    "too-long",
    "common",
    "known-words",
]


class EnrolmentRefusedError(KujiError):
    """Raised when an invitation cannot be used as asked; the text names the reason only."""

    def __init__(self, reason: EnrolmentRefusal) -> None:
        super().__init__(f"enrolment refused: {reason}")
        self.reason: EnrolmentRefusal = reason


class Enrolment:
    """Use invitations."""

    def __init__(
        self,
        store: Store,
        accounts: AccountRepository,
        codes: CodeRepository,
        passkeys: PasskeyRepository,
        sign_in: SignIn,
        changes: FactorChanges,
        audit: AuditLog,
        campaigns: Mapping[CampaignId, Campaign],
    ) -> None:
        self._store, self._accounts, self._codes, self._passkeys = store, accounts, codes, passkeys
        self._sign_in, self._changes, self._audit, self._campaigns = sign_in, changes, audit, campaigns
        self._attempts = AttemptLimit(_ATTEMPTS, _WINDOW_S)

    async def open(self, staff_id: str, code: str, address: str) -> Invitation:
        """Return the invitation, with a new secret for the app. Raises EnrolmentRefusedError."""
        return await self._look_up(self._codes.open_invitation, staff_id, code, address)

    async def find(self, staff_id: str, code: str, address: str) -> Invitation:
        """Return the invitation as it was opened last. Raises EnrolmentRefusedError."""
        return await self._look_up(self._codes.find_invitation, staff_id, code, address)

    async def _look_up(self, look_up: _LookUp, staff_id: str, code: str, address: str) -> Invitation:
        """Return the invitation. Raises EnrolmentRefusedError: id and code must belong together.

        Only wrong codes count: nobody finds one of 80 bits, and who has it is not kept out by others at the address.
        """
        invitation = await look_up(StaffId(staff_id), code) if is_staff_id(staff_id) else None
        if invitation is None:
            raise EnrolmentRefusedError("no-invitation" if await self._attempts.take(address) else "too-many")
        return invitation

    async def complete(
        self,
        invitation: Invitation,
        code: str,
        passwords: tuple[str, str],
        totp_code: str,
        device: str | None,
        address: str | None = None,
    ) -> SignedIn:
        """Set the factors and sign the person in. Raises EnrolmentRefusedError, SignInRefusedError."""
        stored = await self._accounts.find(invitation.staff_id)
        if stored is None:
            raise EnrolmentRefusedError("no-invitation")
        self._check(stored.account, passwords)
        step = matching_step(invitation.totp, totp_code, datetime.now(UTC))
        if step is None:
            raise EnrolmentRefusedError("wrong-code")
        factors = Factors(await self._sign_in.hash_password(passwords[0]), invitation.totp)
        await self._record(stored.account, "set-factors")
        account = await self._store.transact(lambda uow: self._activate(uow, stored.account, code, factors, step))
        return await self._sign_in.start(account, "password+totp", device, address)

    async def change_password(
        self, present: Present, current: str, passwords: tuple[str, str], device: str | None
    ) -> SignedIn:
        """Replace the password, end the person's other sessions, and go on in a new one.

        Raises EnrolmentRefusedError.
        """
        stored = present.stored
        if not await self._attempts.take(stored.account.id):
            raise EnrolmentRefusedError("too-many")
        if not await self._sign_in.verify_password(stored, current):
            raise EnrolmentRefusedError("wrong-password")
        self._check(stored.account, passwords)
        factors = Factors(await self._sign_in.hash_password(passwords[0]), stored.factors.totp)

        await self._record(stored.account, "change-password")

        async def change(uow: UnitOfWork) -> None:
            await self._accounts.set_factors(uow, stored.account.id, factors, stored.totp_step)
            await self._changes.publish(uow, stored.account, StaffMailKind.PASSWORD_CHANGED)

        await self._store.transact(change)
        return await self._sign_in.start(stored.account, present.session.method, device)

    def _check(self, account: Account, passwords: tuple[str, str]) -> None:
        """Raise EnrolmentRefusedError for a new password that is not accepted."""
        if passwords[0] != passwords[1]:
            raise EnrolmentRefusedError("differ")
        mistake = find_mistake(passwords[0], _words(account, self._campaigns.values()))
        if mistake is not None:
            raise EnrolmentRefusedError(mistake.value)

    async def _record(self, account: Account, action: str) -> None:
        role = "+".join(sorted(account.roles))
        await self._audit.record([AuditEvent(account.id, role, action, account.id, None, None, "done")])

    async def _activate(self, uow: UnitOfWork, account: Account, code: str, factors: Factors, step: int) -> Account:
        """Take the invitation and replace the factors, in one transaction: of two completions one wins."""
        if not await self._codes.take_invitation(uow, account.id, code):
            raise EnrolmentRefusedError("no-invitation")
        active = await self._accounts.move(uow, account, AccountState.ACTIVE)
        await self._accounts.set_factors(uow, account.id, factors, step)
        await self._passkeys.delete_all(uow, account.id)
        await self._changes.publish(uow, active, StaffMailKind.FACTORS_SET)
        return active


def _words(account: Account, campaigns: Iterable[Campaign]) -> list[str]:
    """Return the words of which no password may be made: names of campaigns, office, ward and person."""
    own = [account.id, account.name, account.office, account.mail]
    named = [
        word
        for campaign in campaigns
        for word in (campaign.id, campaign.title.ja, campaign.title.in_language("en"), campaign.office.name)
    ]
    return [*own, *named, "kuji", "くじ"]
