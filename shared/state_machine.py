"""Check transitions of a state against a table. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from shared.errors import KujiError

S = TypeVar("S", bound=StrEnum)


class TransitionError(KujiError):
    """Raised when the table has no transition between two states; the text names both."""


@dataclass(frozen=True)
class StateMachine(Generic[S]):
    """Hold the table of one kind of record: `after` gives, for each state, the states that may follow it."""

    after: Mapping[S, frozenset[S]]

    def before(self, target: S) -> list[str]:
        """Return the states from which `target` may be reached, sorted, for the filter of a conditional write."""
        return sorted(source for source, targets in self.after.items() if target in targets)

    def allows(self, source: S, target: S) -> bool:
        """Return True if the table has the transition."""
        return target in self.after[source]

    def check(self, source: S, target: S) -> None:
        """Raise TransitionError if the table does not have the transition."""
        if not self.allows(source, target):
            raise TransitionError(f"no transition from {source} to {target}")

    @property
    def final(self) -> frozenset[S]:
        """The states that nothing follows."""
        return frozenset(state for state, targets in self.after.items() if not targets)
