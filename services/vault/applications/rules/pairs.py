"""Name a doubt: two contents that may come from one person, and what a handler decided about them. Pure.

A content is named by the keyed hash over all fields of its person. So copies share their doubts and decisions, and a
correction that changes the person has doubts of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from services.vault.applications.rules.similarity import Likeness
from services.vault.applications.rules.weights import Field, Level
from shared.json_types import JsonObject


class PairVerdict(StrEnum):
    """Decision of a handler about two applications that look alike."""

    SAME_PERSON = "same-person"
    TWO_PEOPLE = "two-people"
    HOUSEHOLD = "household"
    """Two people of one household: a family, twins."""


@dataclass(frozen=True)
class PairDecision:
    """Decision of a handler about a doubt. `stands`: of one person, the content that stands; None for two people.

    `reason` is a code of the list of reasons. `seconds`: time between opening the pair and deciding; None if a program
    decided.
    """

    verdict: PairVerdict
    stands: str | None
    reason: str
    decided_by: str
    decided_at: datetime
    seconds: float | None = None


@dataclass(frozen=True)
class Pair:
    """A doubt. `first` and `second` are keyed hashes of contents, `first` the lower; `levels` hold nothing personal."""

    first: str
    second: str
    levels: Mapping[Field, Level]
    bits: float
    found_at: datetime
    decision: PairDecision | None = None

    @classmethod
    def of(cls, one: str, other: str, likeness: Likeness, found_at: datetime) -> Self:
        """Return the doubt about two contents, whatever their order."""
        first, second = sorted((one, other))
        return cls(first, second, likeness.levels, likeness.bits, found_at)

    @property
    def contents(self) -> frozenset[str]:
        """Both contents."""
        return frozenset({self.first, self.second})

    @property
    def loser(self) -> str | None:
        """Content that gives way to the other, if a handler decided so."""
        if self.decision is None or self.decision.stands is None:
            return None
        return self.other(self.decision.stands)

    def other(self, content: str) -> str:
        """Return the content beside this one."""
        return self.second if content == self.first else self.first

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a document of the collection."""
        decision = document["decision"]
        return cls(
            first=document["contents"][0],
            second=document["contents"][1],
            levels={Field(name): Level(level) for name, level in document["levels"].items()},
            bits=document["bits"],
            found_at=document["found_at"],
            decision=None if decision is None else _decision(decision),
        )

    def to_document(self) -> JsonObject:
        """Return the members to store."""
        decision = self.decision
        return {
            "contents": [self.first, self.second],
            "levels": {field.value: level.value for field, level in self.levels.items()},
            "bits": float(self.bits),
            "found_at": self.found_at,
            "decision": None
            if decision is None
            else {
                "verdict": decision.verdict.value,
                "stands": decision.stands,
                "reason": decision.reason,
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "seconds": decision.seconds,
            },
        }


def _decision(document: Mapping[str, Any]) -> PairDecision:
    return PairDecision(
        PairVerdict(document["verdict"]),
        document["stands"],
        document["reason"],
        document["decided_by"],
        document["decided_at"],
        document["seconds"],
    )
