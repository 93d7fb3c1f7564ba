"""Access of staff to the vault's `/v1`: the session of the vault's own pages, and their Origin for changes."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from services.vault.people.parts import People
from shared.staff_roles import Right
from shared.web.problems import ProblemError, problem
from shared.web.sign_in.origins import parse_origins, require_own_page
from shared.web.sign_in.staff import SAFE_METHODS, Staff, StaffGuard, guard_by, signed_out

SESSION: Final = "kuji-session"


class VaultAccess:
    """One per process. Without KUJI_ORIGINS no person signs in, and every staff call is refused."""

    def __init__(self, people: People, origins: Mapping[str, str]) -> None:
        """Raise ConfigurationError where the vault would share its host name with another service."""
        self._people = people
        self._origin = parse_origins(origins, "vault")["vault"] if origins else None

    def guard(self, read: Right, change: Right | None = None) -> StaffGuard:
        """Build a FastAPI dependency that asks for `read`, and for `change` where the method changes something."""
        return guard_by(self.admit, read, change)

    async def admit(self, request: Request) -> Staff:
        """Return the person, whatever the roles. Raises 401, 403 for another site, 409 before the first start."""
        if self._origin is None:
            raise signed_out()
        present = await self._people.sign_in.present(request.cookies.get(self._origin.cookie(SESSION)))
        if present is None:
            raise signed_out()
        if request.method not in SAFE_METHODS:
            require_own_page(self._origin, request)
        if not await self._people.roster.is_set_up():
            raise _not_set_up()
        return Staff(present.account.id, present.account.roles, present.session.sid)


def _not_set_up() -> ProblemError:
    return problem(
        "not-set-up",
        409,
        "最初の担当者がまだそろっていません",
        "責任者と区の担当者の両方がサインインしてから実行してください。",
        en="Both of the first two people must have signed in; see ./kuji people first.",
    )
