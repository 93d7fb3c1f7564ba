"""HTTP problem of an act without a fitting approval, the same at every service."""

from shared.approvals.document import ApprovalRefusedError
from shared.web.problems import ProblemError, problem


def approval_problem(refused: ApprovalRefusedError) -> ProblemError:
    """Return the answer; `reason` says what does not fit."""
    return problem(
        "approval-needed",
        409,
        "有効な承認がありません",
        "この内容で承認を申請し、承認の後にもう一度実行してください。",
        en="This act needs an approved request for exactly these parameters; request one at /approve.",
        reason=refused.reason,
    )
