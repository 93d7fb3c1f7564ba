"""Staff caller of a service: a person who signed in, with the roles of the sign-in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fastapi import Request, Response

from shared.staff_roles import Right, Role, may
from shared.web.problems import ProblemError, problem

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Staff:
    """Signed-in person. `actor`: the staff id, which every act records. `session`: the vault's id of the sign-in."""

    actor: str
    roles: frozenset[Role]
    session: str = ""

    def require(self, right: Right) -> "Staff":
        """Return the person if one of the roles has the right. Raises 403."""
        if not may(self.roles, right):
            raise problem(
                "no-right",
                403,
                "この操作をする権限がありません",
                "自分の役割でできることを「役割とできること」の画面で確かめてください。",
                en="Your roles do not include this; see the page of roles and rights.",
            )
        return self


StaffGuard = Callable[[Request, Response], Awaitable[Staff]]
"""FastAPI dependency that returns the person, or raises 401 or 403. No cache may keep the answer to a person."""


class Access(Protocol):
    """Access of staff to a service; the vault's own differs from that of the others."""

    async def admit(self, request: Request) -> Staff:
        """Return the person, whatever the roles. Raises 401, and 403 for a change that another site sends."""

    def guard(self, read: Right, change: Right | None = None) -> StaffGuard:
        """Build a FastAPI dependency that asks for `read`, and for `change` where the method changes something."""


def guard_by(admit: Callable[[Request], Awaitable[Staff]], read: Right, change: Right | None) -> StaffGuard:
    """Build the guard of an access from its `admit`. Without `change`, `read` is asked for always."""

    async def guard(request: Request, response: Response) -> Staff:
        response.headers["Cache-Control"] = "no-store"
        is_read = change is None or request.method in SAFE_METHODS
        return (await admit(request)).require(read if is_read or change is None else change)

    return guard


def signed_out() -> ProblemError:
    """Return the answer to a request without a session."""
    return problem(
        "unauthorized",
        401,
        "サインインが必要です",
        "担当者の画面からサインインしてください。",
        en="Sign in at the vault's page first; at a terminal with ./kuji sign-in.",
    )
