"""Web shell of all services: problem answers, tokens of programs, limits, health."""

from shared.web.health import health_router
from shared.web.problems import ProblemError, answer_to, install_problems, invalid_shape, problem, unavailable
from shared.web.request_limits import LARGEST_INTEGER, BodyLimit, RequestLimits, body_timeout, too_large
from shared.web.service_token import has_token, metrics_guard

__all__ = [
    "LARGEST_INTEGER",
    "BodyLimit",
    "ProblemError",
    "RequestLimits",
    "answer_to",
    "body_timeout",
    "has_token",
    "health_router",
    "install_problems",
    "invalid_shape",
    "metrics_guard",
    "problem",
    "too_large",
    "unavailable",
]
