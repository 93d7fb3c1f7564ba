"""Kinds of approvals, and the one table of who must agree to each (R-S5, R-C6). Pure; docs/architecture.md shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shared.staff_roles import Role


class ApprovalKind(StrEnum):
    """Kind of act. Texts of pages name it by `approval.kind.<value>`."""

    WARD_KEY = "ward-key"
    RETURN_PACKAGE = "return-package"
    EXPORT = "export"
    EXPORT_AUDIT = "export-audit"
    ERASE_CAMPAIGN = "erase-campaign"
    PRINT_PDF = "print-pdf"
    OPEN_PEOPLE = "open-people"
    RELEASE_TEMPLATES = "release-templates"
    RELEASE_NOTICES = "release-notices"
    FREEZE_INCOMPLETE = "freeze-incomplete"
    REDRAW = "redraw"
    LATER_ROUND = "later-round"
    FURTHER_ROUND = "further-round"
    CORRECT_PLACE = "correct-place"
    CHANGE_ROSTER = "change-roster"
    RESET_FACTORS = "reset-factors"
    OPEN_AUDIT_LOG = "open-audit-log"


@dataclass(frozen=True)
class Way:
    """One way to agree: the requester's role, and for each approver the roles of which that person needs one."""

    requester: Role
    approvers: tuple[frozenset[Role], ...]


@dataclass(frozen=True)
class ApprovalRule:
    """Rule of one kind. `executed_by`: the service that acts. `life`: from the request to the act, real time.

    `reasons`: codes of which the requester chooses one; texts name them by `approval.reason.<code>`.
    """

    executed_by: str
    life: timedelta
    ways: tuple[Way, ...]
    reasons: tuple[str, ...]

    @property
    def requesters(self) -> frozenset[Role]:
        """Roles that may request."""
        return frozenset(way.requester for way in self.ways)

    @property
    def approvers(self) -> frozenset[Role]:
        """Roles that may approve in one of the ways."""
        return frozenset(role for way in self.ways for slot in way.approvers for role in slot)


_DAY: Final = timedelta(hours=24)
_DAYS: Final = timedelta(hours=72)

_WARD: Final = frozenset({Role.WARD})
_OFFICE: Final = frozenset({Role.HANDLER, Role.RESPONSIBLE})

_TAKE_OUT: Final = (
    Way(Role.RESPONSIBLE, (_WARD,)),
    Way(Role.HANDLER, (frozenset({Role.RESPONSIBLE}), _WARD)),
)
"""Data leaves the office, or is gone: the ward agrees each time."""

_SECOND_HANDLER: Final = (Way(Role.RESPONSIBLE, (_OFFICE,)), Way(Role.HANDLER, (_OFFICE,)))
_SECOND_OR_WARD: Final = (Way(Role.RESPONSIBLE, (_OFFICE | _WARD,)), Way(Role.HANDLER, (_OFFICE | _WARD,)))
_OTHER_SIDE: Final = (Way(Role.RESPONSIBLE, (_WARD,)), Way(Role.WARD, (frozenset({Role.RESPONSIBLE}),)))
_RESET: Final = (
    Way(Role.RESPONSIBLE, (_WARD,)),
    Way(Role.WARD, (frozenset({Role.RESPONSIBLE}),)),
    Way(Role.HANDLER, (frozenset({Role.RESPONSIBLE, Role.WARD}),)),
)

RULES: Final[Mapping[ApprovalKind, ApprovalRule]] = {
    ApprovalKind.WARD_KEY: ApprovalRule("vault", _DAYS, _OTHER_SIDE, ("set-up", "key-lost")),
    ApprovalKind.RETURN_PACKAGE: ApprovalRule("vault", _DAYS, _TAKE_OUT, ("return-due", "ward-asked")),
    ApprovalKind.EXPORT: ApprovalRule("vault", _DAYS, _TAKE_OUT, ("ward-asked", "person-asked")),
    ApprovalKind.EXPORT_AUDIT: ApprovalRule("vault", _DAYS, (*_TAKE_OUT, _OTHER_SIDE[1]), ("audit-due", "incident")),
    ApprovalKind.ERASE_CAMPAIGN: ApprovalRule("vault", _DAYS, _TAKE_OUT, ("due", "event-cancelled", "ward-asked")),
    ApprovalKind.PRINT_PDF: ApprovalRule("vault", _DAY, _SECOND_HANDLER, ("print", "damaged-print")),
    ApprovalKind.OPEN_PEOPLE: ApprovalRule("vault", _DAY, _SECOND_HANDLER, ("telephone", "incident")),
    ApprovalKind.RELEASE_TEMPLATES: ApprovalRule("vault", _DAYS, _SECOND_OR_WARD, ("first-release", "correction")),
    ApprovalKind.RELEASE_NOTICES: ApprovalRule("notifier", _DAY, _SECOND_OR_WARD, ("announcement", "correction")),
    ApprovalKind.FREEZE_INCOMPLETE: ApprovalRule(
        "lottery", _DAY, _SECOND_OR_WARD, ("undecided-agreed", "count-agreed", "source-lost")
    ),
    ApprovalKind.REDRAW: ApprovalRule("lottery", _DAY, _SECOND_OR_WARD, ("wrong-list", "wrong-rules", "dice-invalid")),
    ApprovalKind.LATER_ROUND: ApprovalRule("lottery", _DAY, _SECOND_OR_WARD, ("round-known", "digits-missing")),
    ApprovalKind.FURTHER_ROUND: ApprovalRule("lottery", _DAY, _SECOND_OR_WARD, ("places-free",)),
    ApprovalKind.CORRECT_PLACE: ApprovalRule("lottery", _DAY, _SECOND_OR_WARD, ("wrong-decision", "wrong-keying")),
    ApprovalKind.CHANGE_ROSTER: ApprovalRule("vault", _DAYS, _OTHER_SIDE, ("joins", "changes", "leaves")),
    ApprovalKind.RESET_FACTORS: ApprovalRule("vault", _DAYS, _RESET, ("factor-lost",)),
    ApprovalKind.OPEN_AUDIT_LOG: ApprovalRule("vault", _DAYS, _OTHER_SIDE, ("log-cut",)),
}
"""Table of all kinds. The requester never approves, and each role is filled by another person."""

NOT_TAKEN: Final = frozenset(
    {
        ApprovalKind.EXPORT, ApprovalKind.EXPORT_AUDIT, ApprovalKind.OPEN_PEOPLE,
        ApprovalKind.CHANGE_ROSTER, ApprovalKind.RESET_FACTORS,
    }
)  # fmt: skip
"""Kinds that no service takes yet: a request of one is refused. Nothing may look approved that nothing asks for."""


def find_rule(kind: ApprovalKind) -> ApprovalRule:
    """Return the rule of a kind."""
    return RULES[kind]


def table_of_kinds() -> str:
    """Return the table as it stands in docs/architecture.md."""
    head = ["kind", "executed by", "hours", "requested by → approved by"]
    lines = [head, ["---"] * len(head)]
    lines += [
        [kind, rule.executed_by, str(int(rule.life.total_seconds()) // 3600), "; ".join(map(_way, rule.ways))]
        for kind, rule in RULES.items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _way(way: Way) -> str:
    return f"{way.requester} → {' and '.join(_any_of(slot) for slot in way.approvers)}"


def _any_of(roles: Iterable[Role]) -> str:
    return " or ".join(sorted(roles))
