"""Tokens of programs: a bearer token from a file, compared in constant time; without a file no token is right.

The token of a service opens its metrics and nothing else: staff are people who signed in.
"""

import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response

MetricsGuard = Callable[[Request, Response], Awaitable[None]]


def metrics_guard(token_file: Path | None, person: Callable[[Request, Response], Awaitable[object]]) -> MetricsGuard:
    """Build a FastAPI dependency: the service's token, or whoever `person` admits."""

    async def guard(request: Request, response: Response) -> None:
        if not has_token(token_file, request.headers.get("authorization")):
            await person(request, response)

    return guard


def has_token(token_file: Path | None, authorization: str | None) -> bool:
    """Return True if the header `Authorization` holds the token of the file."""
    expected = _read(token_file)
    if expected is None or authorization is None:
        return False
    given = authorization.removeprefix("Bearer ").strip()
    return hmac.compare_digest(expected.encode(), given.encode())


def _read(token_file: Path | None) -> str | None:
    return (token_file.read_text("utf-8").strip() or None) if token_file is not None else None
