"""Mails to staff: what happened to which account, and who learns of it. Pure.

A mail names staff ids only; names and addresses stand in none of them.
"""

from collections.abc import Iterable
from enum import StrEnum

from services.vault.people.rules.account import Account, AccountState, StaffId
from shared.staff_roles import Role


class StaffMailKind(StrEnum):
    """Occasion of a mail. Texts name it by `staff-mail.<value>`."""

    PASSWORD_CHANGED = "password-changed"  # noqa: S105  (no password)
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    FACTORS_SET = "factors-set"
    FACTORS_RESET = "factors-reset"
    SUBSTITUTED = "substituted"
    APPROVAL_WAITS = "approval-waits"
    """A request of the account waits for the receiver's approval."""

    @property
    def page(self) -> str:
        """Path of the page on which the receiver can do something about it."""
        return "/approve" if self is StaffMailKind.APPROVAL_WAITS else "/desk/people"


_WITH_ADDRESS = frozenset({AccountState.INVITED, AccountState.ACTIVE})


def receivers_of_change(changed: Account, accounts: Iterable[Account]) -> list[StaffId]:
    """Return who learns that this person's factors changed: every responsible handler, and the person.

    Where the person is a responsible handler, the ward learns of it too: a thief must not be the only reader.
    """
    watching = {Role.RESPONSIBLE} | ({Role.WARD} if Role.RESPONSIBLE in changed.roles else set())
    return sorted(
        account.id
        for account in accounts
        if (account.id == changed.id and account.state in _WITH_ADDRESS)
        or (account.state is AccountState.ACTIVE and account.roles & watching)
    )
