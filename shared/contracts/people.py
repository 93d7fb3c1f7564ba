"""Message about staff: an id and its roles; names stay in the vault (docs/protocols.md §8)."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.base import Event, Moment
from shared.staff_roles import Role

StaffIdField = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class StaffChanged(Event):
    """A person may sign in with these roles now, or with none. Sign-ins before `not_before` are void.

    `not_before` is on the vault's machine clock. Consumers keep the newest event of each person.
    """

    name: ClassVar[str] = "staff.changed"
    sub: StaffIdField
    not_before: Moment
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))]
