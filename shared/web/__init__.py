"""The web shell all services share: problem answers, the staff guard, health."""

from shared.web.health import health_router
from shared.web.problems import ProblemError, answer_to, install_problems, invalid_shape, problem, unavailable
from shared.web.staff_token import is_ops, ops_only

__all__ = [
    "ProblemError",
    "answer_to",
    "health_router",
    "install_problems",
    "invalid_shape",
    "is_ops",
    "ops_only",
    "problem",
    "unavailable",
]
