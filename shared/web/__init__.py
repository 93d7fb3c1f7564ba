"""Web shell of all services: problem answers, the staff guard, health."""

from shared.web.health import health_router
from shared.web.problems import ProblemError, answer_to, install_problems, invalid_shape, problem, unavailable
from shared.web.staff_token import has_staff_token, require_staff_token

__all__ = [
    "ProblemError",
    "answer_to",
    "has_staff_token",
    "health_router",
    "install_problems",
    "invalid_shape",
    "problem",
    "require_staff_token",
    "unavailable",
]
