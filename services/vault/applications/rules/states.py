"""Name the states of an application in the vault, as a table. Pure."""

from enum import StrEnum
from typing import Final

from shared.state_machine import StateMachine


class ApplicationState(StrEnum):
    """State of an application after it was opened."""

    ACCEPTED = "accepted"
    HELD = "held"
    """A person has to decide: a doubt, or a possible duplicate."""
    REJECTED = "rejected"


STATES: Final = StateMachine(
    {
        ApplicationState.HELD: frozenset({ApplicationState.ACCEPTED, ApplicationState.REJECTED}),
        ApplicationState.ACCEPTED: frozenset(),
        ApplicationState.REJECTED: frozenset(),
    }
)
