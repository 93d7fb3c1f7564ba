"""Count the people who may key papers today, on which the number of keyings of a paper depends."""

from dataclasses import dataclass

from services.vault.people.parts import People
from shared.staff_roles import Right, may


@dataclass(frozen=True)
class Keyers:
    """People of the roster who are on duty and have the right to key."""

    people: People

    async def count(self) -> int:
        """Return how many there are now."""
        accounts = [stored.account for stored in await self.people.accounts.all()]
        return sum(
            may(account.roles, Right.KEY_PAPERS) and self.people.duty.reason(account) is None for account in accounts
        )
