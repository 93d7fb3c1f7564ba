"""Views of an approval for pages and programs: kinds, parameters, roles and times, never a person of the campaign."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.vault.approvals.rules.approval import Approval, ApprovalState, Signature
from services.vault.people.rules.account import Account
from shared.json_types import JsonObject
from shared.staff_roles import Role

_SIGNS: Final = {None: "–", False: "–", True: "✓"}


@dataclass(frozen=True)
class ApprovalView:
    """An approval for one person. `mine`: the person requested it. `role`: the role that the person may fill now."""

    approval: Approval
    mine: bool
    role: Role | None

    @classmethod
    def of(cls, approval: Approval, person: Account) -> "ApprovalView":
        """Return the view of this person."""
        role = approval.role_of(person.id, person.roles, datetime.now(UTC))
        return cls(approval, approval.content.requested_by == person.id, role)

    @property
    def state(self) -> str:
        """The state; `expired` once its time is over and nothing was done."""
        approval = self.approval
        is_over = approval.state in {ApprovalState.WAITING, ApprovalState.APPROVED, ApprovalState.DRAFT}
        return "expired" if is_over and not approval.is_open(datetime.now(UTC)) else approval.state.value

    @property
    def is_open(self) -> bool:
        return self.approval.is_open(datetime.now(UTC))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the parameters that are no lists."""
        return tuple(_rows(self.approval.content.params))

    def to_json(self) -> JsonObject:
        """Return the view as programs get it."""
        approval = self.approval
        given = [_given(signature) for signature in approval.signatures]
        waits_for = [sorted(role.value for role in slot) for slot in approval.open_slots]
        role = None if self.role is None else self.role.value
        return {
            "document": approval.content.to_document(),
            "state": self.state,
            "approvals": given,
            "waits_for": waits_for,
            "mine": self.mine,
            "role": role,
        }


def _given(signature: Signature) -> JsonObject:
    return {
        "by": signature.by,
        "role": signature.role.value,
        "at": signature.at.isoformat(),
        "method": signature.method,
    }


def _rows(params: JsonObject) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if not isinstance(value, list):
            yield name, _SIGNS.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)
