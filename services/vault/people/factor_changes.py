"""Consequences of each change of a person's factors: the other sessions end, and mails report it (R-S3)."""

from services.vault.people.duty import DutyCheck
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account
from services.vault.people.rules.staff_mail import StaffMailKind, receivers_of_change
from services.vault.people.staff_mail_repository import StaffMailRepository
from shared.storage import UnitOfWork


class FactorChanges:
    """Part of the transaction that changes factors: a crash leaves all of it or nothing."""

    def __init__(self, accounts: AccountRepository, duty: DutyCheck, mails: StaffMailRepository) -> None:
        self._accounts, self._duty, self._mails = accounts, duty, mails

    async def publish(self, uow: UnitOfWork, account: Account, kind: StaffMailKind) -> None:
        """End the person's sessions everywhere and queue the mails that report the change."""
        await self._duty.publish(uow, account)
        accounts = [stored.account for stored in await self._accounts.all(uow.session)]
        await self._mails.insert(uow, kind, account.id, receivers_of_change(account, accounts))
