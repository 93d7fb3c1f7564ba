"""Staff caller of a service: a person who signed in, or a program with the service's token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from shared.staff_roles import Right, Role, may
from shared.web.problems import problem


@dataclass(frozen=True)
class Staff:
    """`actor` is None for a program that shows the staff token: its requests name the actor."""

    actor: str | None
    roles: frozenset[Role] = frozenset()

    def acting_as(self, named: str) -> str:
        """Return the name to record. Raises 403 where a signed-in person names another actor."""
        if self.actor is not None and self.actor != named:
            raise problem(
                "another-actor",
                403,
                "ほかの担当者の名前では実行できません",
                "自分の担当者IDで実行してください。",
                en="Act under the id you signed in with.",
            )
        return named

    def require(self, right: Right) -> "Staff":
        """Return the caller if it has the right. Raises 403 for a person without it; a program has all rights."""
        if self.actor is not None and not may(self.roles, right):
            raise problem(
                "no-right",
                403,
                "この操作をする権限がありません",
                "自分の役割でできることを「役割とできること」の画面で確かめてください。",
                en="Your roles do not include this; see the page of roles and rights.",
            )
        return self


StaffGuard = Callable[[Request], Awaitable[Staff]]
