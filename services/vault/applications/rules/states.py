"""Name the states of an application in the vault, and what follows from them for the applicant. Pure."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

from shared.state_machine import StateMachine

OwnStatus: TypeAlias = Literal["complete", "under-review", "rejected", "withdrawn"]
"""Status that the applicant reads. It follows from the application's own content (`docs/protocols.md` §1)."""

DUPLICATE: Final = "duplicate"
"""Reason of a rejection that is about another application, and not told before the draw."""


class ApplicationState(StrEnum):
    """State of an application after its highest version was opened."""

    ACCEPTED = "accepted"
    HELD = "held"
    """A person has to decide: a doubt, or a possible duplicate."""
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """An exact copy of an earlier application, which stands."""
    WITHDRAWN = "withdrawn"


DECISIONS: Final = StateMachine(
    {
        ApplicationState.HELD: frozenset({ApplicationState.ACCEPTED, ApplicationState.REJECTED}),
        ApplicationState.ACCEPTED: frozenset(),
        ApplicationState.REJECTED: frozenset(),
        ApplicationState.SUPERSEDED: frozenset(),
        ApplicationState.WITHDRAWN: frozenset(),
    }
)
"""Decisions of a handler. A new version is judged afresh and may lead to any state."""
