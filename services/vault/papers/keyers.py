"""Find the people who may key papers today, on which the number of keyings of a paper depends."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.vault.people.parts import People
from services.vault.people.rules.account import Account
from shared.staff_roles import Right, may


@dataclass(frozen=True)
class Keyers:
    """People of the roster who are on duty and have the right to key."""

    people: People

    async def accounts(self) -> Sequence[Account]:
        """Return their accounts."""
        accounts = [stored.account for stored in await self.people.accounts.all()]
        return [
            account
            for account in accounts
            if may(account.roles, Right.KEY_PAPERS) and self.people.duty.reason(account) is None
        ]

    async def count(self) -> int:
        """Return how many there are now."""
        return len(await self.accounts())
