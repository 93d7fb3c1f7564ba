"""Web shell of all services: problem answers, the staff guard, health."""

from shared.web.health import health_router
from shared.web.problems import ProblemError, answer_to, install_problems, invalid_shape, problem, unavailable
from shared.web.request_limits import LARGEST_INTEGER, BodyLimit, RequestLimits, body_timeout, too_large
from shared.web.staff_token import admit_staff, has_staff_token, require_staff_token

__all__ = [
    "LARGEST_INTEGER",
    "BodyLimit",
    "ProblemError",
    "RequestLimits",
    "admit_staff",
    "answer_to",
    "body_timeout",
    "has_staff_token",
    "health_router",
    "install_problems",
    "invalid_shape",
    "problem",
    "require_staff_token",
    "too_large",
    "unavailable",
]
