"""Decide which look a paper needs next and who may take it (R-B5). Pure.

Two handlers key each paper without seeing the other's values; a third resolves what differs. A keyer who resolves a
mismatch of his own repeats his first value, so that he is not asked where there is another person.
"""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shared.campaign import KeyingMode
from shared.staff_roles import Role

HOLD: Final = timedelta(minutes=10)
"""Time that a browser may hold a paper; then the paper returns to the pool."""

SAMPLE_SHARE: Final = 10
"""One in so many papers is keyed twice where the campaign says `sample`."""

_ALONE: Final = 1
_PAIR: Final = 2


class Look(StrEnum):
    """Turn of a paper: keyed the first or the second time, or resolved."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"


class Outcome(StrEnum):
    """Way in which a paper was settled; it stands in the audit log and on the page of error rates."""

    AGREED = "agreed"
    """Two handlers keyed the same."""
    RESOLVED = "resolved"
    """A third person resolved what differed."""
    BY_RESPONSIBLE = "by-responsible"
    """The responsible handler resolved, because there were two people in all."""
    ONCE = "once"
    """One person keyed, because the campaign says so or because there was nobody else."""


def required_keyings(mode: KeyingMode, people: int, *, in_sample: bool) -> int:
    """Return how many keyings a paper needs; `people`: those on duty who may key."""
    once = people <= _ALONE or mode == "once" or (mode == "sample" and not in_sample)
    return 1 if once else _PAIR


def next_look(keyings: int, required: int) -> Look:
    """Return the look that a paper with so many keyings needs, while it is not settled."""
    if keyings >= required:
        return Look.THIRD
    return Look.FIRST if keyings == 0 else Look.SECOND


def may_take(look: Look, person: str, keyed_by: Collection[str], roles: Collection[Role], people: int) -> bool:
    """Return True if the person may take this look.

    A person who did not key the paper may always; where there are two people in all, the responsible handler resolves
    also a mismatch of the own keying, because there is nobody else.
    """
    if person not in keyed_by:
        return True
    if look is not Look.THIRD or people > _PAIR:
        return False
    return people <= _ALONE or Role.RESPONSIBLE in roles


def outcome_of(look: Look, person: str, keyed_by: Collection[str], roles: Collection[Role], people: int) -> Outcome:
    """Return how a paper is settled in which this person takes the last look.

    The responsible handler resolves as such where there are two people in all, or two handlers besides.
    """
    if look is Look.FIRST or (look is Look.THIRD and people <= _ALONE):
        return Outcome.ONCE
    if look is Look.SECOND:
        return Outcome.AGREED
    is_responsible = Role.RESPONSIBLE in roles and people <= _PAIR + 1
    return Outcome.BY_RESPONSIBLE if is_responsible or person in keyed_by else Outcome.RESOLVED
