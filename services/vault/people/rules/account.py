"""Account of one member of staff, and whether it may sign in on a day (R-S1, R-S3, R-S6, R-C18). Pure."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NewType

from shared.staff_roles import Role
from shared.state_machine import StateMachine

StaffId = NewType("StaffId", str)

STAFF_ID: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""Form of a staff id: lower case, so that two ids never differ in case only."""


class AccountState(StrEnum):
    """State of an account."""

    REQUESTED = "requested"
    REFUSED = "refused"
    INVITED = "invited"
    ACTIVE = "active"
    ENDED = "ended"


STATES: Final = StateMachine(
    {
        AccountState.REQUESTED: frozenset({AccountState.INVITED, AccountState.REFUSED}),
        AccountState.REFUSED: frozenset(),
        AccountState.INVITED: frozenset({AccountState.INVITED, AccountState.ACTIVE, AccountState.ENDED}),
        AccountState.ACTIVE: frozenset({AccountState.INVITED, AccountState.ENDED}),
        AccountState.ENDED: frozenset(),
    }
)
"""An active account goes back to `invited` when its factors are reset."""


class NotAdmittedReason(StrEnum):
    """Reason why an account may not sign in today. Texts name it by `not-admitted.<value>`."""

    NOT_ACTIVE = "not-active"
    BEFORE_ROSTER = "before-roster"
    AFTER_ROSTER = "after-roster"
    NO_PLEDGE = "no-pledge"
    NO_TRAINING = "no-training"


@dataclass(frozen=True)
class Training:
    """One training record (R-S6). `held` and `valid_until` are days in Tokyo, both included."""

    course: str
    held: date
    valid_until: date
    teacher: str

    def covers(self, day: date) -> bool:
        return self.held <= day <= self.valid_until


@dataclass(frozen=True)
class Account:
    """Line of the roster. Name, office, mail and teachers are personal data; its `repr` shows the id only.

    `starts` and `ends` are the first and the last day of the person's task, on the campaign's clock.
    """

    id: StaffId
    name: str
    office: str
    mail: str
    roles: frozenset[Role]
    starts: date
    ends: date
    tasks: tuple[str, ...]
    training: tuple[Training, ...]
    pledged: date | None
    state: AccountState

    def __repr__(self) -> str:
        return f"Account(id={self.id}, state={self.state})"


def is_staff_id(text: str) -> bool:
    """Return True if the text has the form of a staff id."""
    return re.fullmatch(STAFF_ID, text) is not None


def reason_not_admitted(account: Account, today: date) -> NotAdmittedReason | None:
    """Return why the account may not sign in on this day, or None if it may."""
    if account.state is not AccountState.ACTIVE:
        return NotAdmittedReason.NOT_ACTIVE
    return reason_not_on_duty(account, today)


def reason_not_on_duty(account: Account, today: date) -> NotAdmittedReason | None:
    """Return why the roster does not admit the person on this day, or None; the state does not matter."""
    if today < account.starts:
        return NotAdmittedReason.BEFORE_ROSTER
    if today > account.ends:
        return NotAdmittedReason.AFTER_ROSTER
    if account.pledged is None or account.pledged > today:
        return NotAdmittedReason.NO_PLEDGE
    if not any(record.covers(today) for record in account.training):
        return NotAdmittedReason.NO_TRAINING
    return None
