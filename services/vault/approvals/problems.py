"""HTTP problems of approvals."""

from typing import Final

from services.vault.approvals.service import RequestRefusedError
from shared.web.problems import ProblemError, problem

_STATUS: Final = {"no-right": 403, "not-the-second": 403, "not-yours": 403, "unknown": 404, "wrong-params": 422}

_ADVICE: Final = {
    "no-right": "No role of yours may request this; see the table of kinds at /desk/roles.",
    "not-set-up": "The first two people must sign in before anything is requested.",
    "not-here": "This kind is not executed that way; see docs/operations.md.",
    "wrong-params": "The parameters are not those of the kind; see docs/protocols.md.",
    "wrong-reason": "Choose one of the kind's reasons.",
    "nobody-can-approve": "Nobody on duty could approve this; see the roles that are missing.",
    "not-yours": "The requester alone takes the executed document.",
    "not-the-second": "You have a part in it already, or none of your roles is waited for.",
    "decided": "It was decided, executed or has expired; look at it again.",
    "unknown": "There is no such approval.",
}


def request_problem(refused: RequestRefusedError) -> ProblemError:
    """Return the answer to a step that is not possible."""
    missing = [sorted(role.value for role in slot) for slot in refused.roles]
    return problem(
        f"approval-{refused.reason}",
        _STATUS.get(refused.reason, 409),
        "承認の手続きができません",
        "承認の画面で理由を確かめてください。",
        en=_ADVICE[refused.reason],
        **({"missing_roles": missing} if missing else {}),
    )
