"""Message about staff: an id and its roles; names stay in the vault (docs/protocols.md §8)."""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from shared.contracts.base import Event, Moment
from shared.staff_roles import Role

StaffIdField = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
SessionIdField = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")]

MOST_ENDED: Final = 20
"""Sessions that one event ends."""


class StaffChanged(Event):
    """A person may sign in with these roles now, or with none. Sign-ins before `not_before` are void.

    `not_before` is on the vault's machine clock. Consumers keep the newest event of each person. `ended`: ids (`sid`)
    of single sessions of the vault that have ended, with everything that began in them; the person's others go on.
    """

    name: ClassVar[str] = "staff.changed"
    sub: StaffIdField
    not_before: Moment
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))]
    ended: Annotated[tuple[SessionIdField, ...], Field(max_length=MOST_ENDED)] = ()
