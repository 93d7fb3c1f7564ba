"""Approval as the vault keeps it, its states, and who fills which role. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.approvals.document import ApprovalContent, Method
from shared.approvals.kinds import RULES, ApprovalKind, Way
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.state_machine import StateMachine


class ApprovalState(StrEnum):
    """State of an approval. Texts name it by `approval.state.<value>`."""

    DRAFT = "draft"
    """Written, and not yet signed by its requester."""
    WAITING = "waiting"
    APPROVED = "approved"
    EXECUTED = "executed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STATES: Final = StateMachine(
    {
        ApprovalState.DRAFT: frozenset({ApprovalState.WAITING}),
        ApprovalState.WAITING: frozenset({ApprovalState.APPROVED, ApprovalState.REFUSED, ApprovalState.WITHDRAWN}),
        ApprovalState.APPROVED: frozenset({ApprovalState.EXECUTED, ApprovalState.REFUSED, ApprovalState.WITHDRAWN}),
        ApprovalState.EXECUTED: frozenset(),
        ApprovalState.REFUSED: frozenset(),
        ApprovalState.WITHDRAWN: frozenset(),
    }
)
OPEN: Final = frozenset({ApprovalState.DRAFT, ApprovalState.WAITING, ApprovalState.APPROVED})


@dataclass(frozen=True)
class Signature:
    """Signature of one person. `assertion`, `nonce`: the passkey's whole answer, and the server's bytes in it."""

    by: str
    role: Role
    at: datetime
    method: Method
    assertion: JsonObject | None = None
    nonce: bytes | None = None


@dataclass(frozen=True)
class Approval:
    """An approval. `request`: the requester's own signature, None while it is a draft."""

    content: ApprovalContent
    requester_role: Role
    state: ApprovalState
    request: Signature | None = None
    signatures: tuple[Signature, ...] = ()
    decided_by: str | None = None
    executed_at: datetime | None = None
    executed: JsonObject | None = None

    @property
    def way(self) -> Way:
        """The way of the requester's role; a kind has one for each role."""
        ways = RULES[self.content.kind].ways
        return next(way for way in ways if way.requester is self.requester_role)

    @property
    def open_slots(self) -> tuple[frozenset[Role], ...]:
        """Roles that still wait for a person, one set for each."""
        slots = list(self.way.approvers)
        for signature in self.signatures:
            slots.remove(next(slot for slot in slots if signature.role in slot))
        return tuple(slots)

    @property
    def people(self) -> frozenset[str]:
        """People who have a part in it, and may fill no further role; also the person concerned."""
        signed = {signature.by for signature in self.signatures}
        return frozenset({self.content.requested_by, *signed, *_concerned(self.content)})

    def role_of(self, person: str, roles: Iterable[Role], now: datetime) -> Role | None:
        """Return the role that this person may fill now, or None."""
        if self.state is not ApprovalState.WAITING or now >= self.content.expires or person in self.people:
            return None
        return next((role for slot in self.open_slots for role in sorted(slot & frozenset(roles))), None)

    def with_signature(self, signature: Signature) -> "Approval":
        """Return the approval with the requester's signature, or with an approver's; the last one approves it."""
        if self.state is ApprovalState.DRAFT:
            return replace(self, state=ApprovalState.WAITING, request=signature)
        signed = replace(self, signatures=(*self.signatures, signature))
        return signed if signed.open_slots else replace(signed, state=ApprovalState.APPROVED)

    def is_open(self, now: datetime) -> bool:
        """Return True while somebody can still do something with it."""
        return self.state in OPEN and now < self.content.expires


def choose_role(kind: ApprovalKind, roles: frozenset[Role]) -> Role | None:
    """Return the role in which this person requests, the first of the kind's table; None without one."""
    return next((way.requester for way in RULES[kind].ways if way.requester in roles), None)


def missing_roles(approval: Approval, candidates: Mapping[str, frozenset[Role]]) -> tuple[frozenset[Role], ...]:
    """Return the roles that nobody on duty could fill beside the others; empty where all can be filled."""
    free = {person: roles for person, roles in candidates.items() if person not in approval.people}
    slots = approval.open_slots
    if any(_fillings(slots, free)):
        return ()
    alone = tuple(slot for slot in slots if not any(roles & slot for roles in free.values()))
    return alone or slots


def _fillings(slots: Sequence[frozenset[Role]], free: Mapping[str, frozenset[Role]]) -> Iterator[bool]:
    """Yield True for each way to fill the slots with different people."""
    if not slots:
        yield True
        return
    for person, roles in free.items():
        if roles & slots[0]:
            yield from _fillings(slots[1:], {other: found for other, found in free.items() if other != person})


def _concerned(content: ApprovalContent) -> frozenset[str]:
    """Return the account that a change of the roster or a reset concerns."""
    account = content.params.get("account")
    return frozenset({account}) if isinstance(account, str) else frozenset()
