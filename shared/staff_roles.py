"""Roles of staff and the one table of what each role may do (R-S3). Pure; docs/architecture.md shows the table."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Role of an account. A person may have several; acts of two people are filled by two different people."""

    HANDLER = "handler"
    RESPONSIBLE = "responsible"
    WARD = "ward"
    AUDITOR = "auditor"
    RECEPTION = "reception"
    ENGINEER = "engineer"


class Right(StrEnum):
    """One kind of act. Texts of pages name it by `right.<value>`."""

    READ_ROSTER = "read-roster"
    REQUEST_ROSTER_CHANGE = "request-roster-change"
    REQUEST_RESET = "request-reset"
    REQUEST_SUBSTITUTE = "request-substitute"
    APPROVE_ROSTER_CHANGE = "approve-roster-change"
    END_SESSIONS = "end-sessions"
    READ_APPLICATIONS = "read-applications"
    DECIDE_APPLICATIONS = "decide-applications"
    KEY_PAPERS = "key-papers"
    READ_KEYING_QUALITY = "read-keying-quality"
    OPEN_PEOPLE = "open-people"
    READ_SUBJECT_REQUESTS = "read-subject-requests"
    DECIDE_SUBJECT_REQUESTS = "decide-subject-requests"
    READ_DRAWS = "read-draws"
    RUN_DRAWS = "run-draws"
    ENTER_DICE = "enter-dice"
    CORRECT_PLACES = "correct-places"
    READ_NOTICES = "read-notices"
    RELEASE_TEMPLATES = "release-templates"
    SETTLE_NOTICES = "settle-notices"
    ANNOUNCE = "announce"
    PRINT_CARDS = "print-cards"
    ADMIT = "admit"
    LEAD_RECEPTION = "lead-reception"
    READ_CLOSE_OUT = "read-close-out"
    RETURN_DATA = "return-data"
    CONFIRM_RETURN = "confirm-return"
    FIX_WARD_KEY = "fix-ward-key"
    ERASE = "erase"
    READ_AUDIT_LOG = "read-audit-log"
    READ_QUEUES = "read-queues"
    SETTLE_PARKED = "settle-parked"
    LOCK_VAULT = "lock-vault"


RIGHTS: Final[Mapping[Right, frozenset[Role]]] = {
    Right.READ_ROSTER: frozenset({Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.REQUEST_ROSTER_CHANGE: frozenset({Role.RESPONSIBLE, Role.WARD}),
    Right.REQUEST_RESET: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD}),
    Right.REQUEST_SUBSTITUTE: frozenset({Role.HANDLER}),
    Right.APPROVE_ROSTER_CHANGE: frozenset({Role.RESPONSIBLE, Role.WARD}),
    Right.END_SESSIONS: frozenset({Role.RESPONSIBLE, Role.WARD}),
    Right.READ_APPLICATIONS: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.DECIDE_APPLICATIONS: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.KEY_PAPERS: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.READ_KEYING_QUALITY: frozenset({Role.RESPONSIBLE}),
    Right.OPEN_PEOPLE: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.READ_SUBJECT_REQUESTS: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.DECIDE_SUBJECT_REQUESTS: frozenset({Role.WARD}),
    Right.READ_DRAWS: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.RUN_DRAWS: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.ENTER_DICE: frozenset({Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.CORRECT_PLACES: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.READ_NOTICES: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.RELEASE_TEMPLATES: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.SETTLE_NOTICES: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.ANNOUNCE: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.PRINT_CARDS: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.ADMIT: frozenset({Role.RECEPTION, Role.HANDLER, Role.RESPONSIBLE}),
    Right.LEAD_RECEPTION: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.READ_CLOSE_OUT: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.RETURN_DATA: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.CONFIRM_RETURN: frozenset({Role.WARD}),
    Right.FIX_WARD_KEY: frozenset({Role.RESPONSIBLE, Role.WARD}),
    Right.ERASE: frozenset({Role.HANDLER, Role.RESPONSIBLE}),
    Right.READ_AUDIT_LOG: frozenset({Role.RESPONSIBLE, Role.WARD, Role.AUDITOR}),
    Right.READ_QUEUES: frozenset({Role.RESPONSIBLE, Role.ENGINEER}),
    Right.SETTLE_PARKED: frozenset({Role.ENGINEER}),
    Right.LOCK_VAULT: frozenset({Role.HANDLER, Role.RESPONSIBLE, Role.ENGINEER}),
}
"""Table of what each role may do. No role implies another.

Engineers see queues and parked messages, never a person. Locking the vault harms its availability only and stops a
theft, so that each handler in the office may do it; opening it again takes the passphrase.
"""


def may(roles: Iterable[Role], right: Right) -> bool:
    """Return True if one of the roles has the right."""
    return not RIGHTS[right].isdisjoint(roles)


def parse_roles(names: Iterable[str]) -> frozenset[Role]:
    """Return the roles of these names. Raises ValueError for an unknown name."""
    return frozenset(Role(name) for name in names)


def table_of_rights() -> str:
    """Return the table as it stands in docs/architecture.md."""
    head = ["right", *Role]
    lines = [head, ["---"] * len(head)]
    lines += [[right, *("yes" if role in RIGHTS[right] else "–" for role in Role)] for right in Right]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
