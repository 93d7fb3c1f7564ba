"""Requests to change the roster: two different people with different roles (R-S1, R-S3). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from services.vault.people.rules.account import Account, StaffId
from shared.staff_roles import RIGHTS, Right, Role
from shared.state_machine import StateMachine

RequestId = NewType("RequestId", str)

LIFE: Final = timedelta(hours=72)
"""Life of a request on the machine's clock."""


class RequestKind(StrEnum):
    """Kind of change. Texts name it by `request.<value>`.

    `substitute`: a handler becomes responsible too, because no responsible handler can act (illness). A handler asks
    for it, the ward approves it, and every responsible handler learns of it by mail.
    """

    CREATE = "create"
    CHANGE = "change"
    END = "end"
    RESET = "reset"
    SUBSTITUTE = "substitute"


class RequestState(StrEnum):
    """State of a request; one past its end is neither approved nor refused any more."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


_RIGHTS: Final = {RequestKind.RESET: Right.REQUEST_RESET, RequestKind.SUBSTITUTE: Right.REQUEST_SUBSTITUTE}

STATES: Final = StateMachine(
    {
        RequestState.WAITING: frozenset({RequestState.APPROVED, RequestState.REFUSED}),
        RequestState.APPROVED: frozenset(),
        RequestState.REFUSED: frozenset(),
    }
)


@dataclass(frozen=True)
class RosterRequest:
    """Request of one person that another person approves. `proposal`: the account as it shall be, or None."""

    id: RequestId
    kind: RequestKind
    account: StaffId
    proposal: Account | None
    requested_by: StaffId
    requester_roles: frozenset[Role]
    requested_at: datetime
    state: RequestState

    @property
    def expires(self) -> datetime:
        return self.requested_at + LIFE


def right_to_request(kind: RequestKind) -> Right:
    """Return the right that a requester needs."""
    return _RIGHTS.get(kind, Right.REQUEST_ROSTER_CHANGE)


def may_approve(request: RosterRequest, approver: StaffId, roles: Iterable[Role]) -> bool:
    """Return True if this person can be the second: another person in another role, and not the one concerned."""
    if approver in {request.requested_by, request.account}:
        return False
    first = request.requester_roles & RIGHTS[right_to_request(request.kind)]
    second = frozenset(roles) & RIGHTS[Right.APPROVE_ROSTER_CHANGE]
    return any(one is not other for one in first for other in second)
