"""The guard of staff calls: a bearer token from a file, compared in constant time; no file, no staff calls."""

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from fastapi import Header, Request

from shared.web.problems import problem

Guard = Callable[[str | None], None]


def require_staff_token(token_file: Path | None) -> Guard:
    """Build a FastAPI dependency that requires the staff token (401 otherwise)."""

    def guard(authorization: Annotated[str | None, Header()] = None) -> None:
        if not has_staff_token(token_file, authorization):
            raise problem(
                "unauthorized",
                401,
                "権限がありません",
                "担当者用の鍵を付けて、もう一度実行してください。",
                en="Send the staff token as `Authorization: Bearer …`.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return guard


def admit_staff(guard: Guard) -> Callable[[Request], None]:
    """Return the same guard for the head of a request, before its body is read (`RequestLimits`)."""

    def admit(request: Request) -> None:
        guard(request.headers.get("authorization"))

    return admit


def secret_of(token_file: Path | None) -> str | None:
    """Return the staff token; None where there is none: then no call is a staff call."""
    return (token_file.read_text("utf-8").strip() or None) if token_file is not None else None


def has_staff_token(token_file: Path | None, authorization: str | None) -> bool:
    expected = secret_of(token_file)
    if expected is None or authorization is None:
        return False
    given = authorization.removeprefix("Bearer ").strip()
    return hmac.compare_digest(expected.encode(), given.encode())
