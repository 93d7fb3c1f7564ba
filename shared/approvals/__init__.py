"""Approvals: acts of two people, as one signed document for all kinds (docs/protocols.md §9)."""

from shared.approvals.document import (
    CONTEXT,
    ApprovalContent,
    ApprovalId,
    ApprovalRefusal,
    ApprovalRefusedError,
    GivenApproval,
    read_approval,
    write_approval,
)
from shared.approvals.gate import Act, ApprovalGate, ExecutedApproval
from shared.approvals.kinds import NOT_TAKEN, RULES, ApprovalKind, ApprovalRule, Way, find_rule, table_of_kinds
from shared.approvals.params import WrongParamsError, check_params

__all__ = [
    "CONTEXT",
    "NOT_TAKEN",
    "RULES",
    "Act",
    "ApprovalContent",
    "ApprovalGate",
    "ApprovalId",
    "ApprovalKind",
    "ApprovalRefusal",
    "ApprovalRefusedError",
    "ApprovalRule",
    "ExecutedApproval",
    "GivenApproval",
    "Way",
    "WrongParamsError",
    "check_params",
    "find_rule",
    "read_approval",
    "table_of_kinds",
    "write_approval",
]
