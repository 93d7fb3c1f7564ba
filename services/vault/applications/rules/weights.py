"""Give each agreement of two applications a weight in bits. Pure.

Each field has a level, each level a weight: log2 of how much more often it occurs in two applications of one
person than in two of different people (Fellegi and Sunter, 1969). A household shares address, telephone, surname,
mail and guardian, so that these speak once: together they add at most `HOUSEHOLD_BITS`. Otherwise siblings would look
like one person.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Field(StrEnum):
    """Compared field. `AGE` stands for age and school grade."""

    GIVEN = "given"
    SURNAME = "surname"
    AGE = "age"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    GUARDIAN = "guardian"


class Level(StrEnum):
    """Degree of agreement of two values of a field."""

    EQUAL = "equal"
    VARIANT = "variant"
    """Equal but for variants of characters, kana or another writing."""
    READING = "reading"
    """One is written in kana and reads like the other."""
    SAME_SOUND = "same-sound"
    """Other characters with one reading in common."""
    CLOSE = "close"
    """A digit, the room or a year differs."""
    UNKNOWN = "unknown"
    """One of them has no value."""
    DIFFERENT = "different"


HOUSEHOLD: Final = frozenset({Field.SURNAME, Field.ADDRESS, Field.PHONE, Field.EMAIL, Field.GUARDIAN})
HOUSEHOLD_BITS: Final = 12.0
THRESHOLD: Final = 14.0
"""Bits from which two applications wait for a person's decision."""

WEIGHTS: Final[Mapping[Field, Mapping[Level, float]]] = {
    # Few people of a family or a town have one given name; siblings never have. Kana hides which characters it is.
    Field.GIVEN: {
        Level.EQUAL: 9, Level.VARIANT: 8, Level.READING: 7, Level.SAME_SOUND: 0, Level.UNKNOWN: 0, Level.DIFFERENT: -14,
    },
    # Of two people who share nothing else, one in fifty shares the surname. People marry, so a difference says less.
    Field.SURNAME: {
        Level.EQUAL: 5, Level.VARIANT: 5, Level.READING: 4, Level.SAME_SOUND: 2, Level.UNKNOWN: 0, Level.DIFFERENT: -5,
    },
    # One school grade of nine, one age of sixty. A birthday or a slip moves it by one, hardly by more.
    Field.AGE: {Level.EQUAL: 4, Level.CLOSE: 1, Level.UNKNOWN: 0, Level.DIFFERENT: -10},
    # A house is shared by a household only, a town by thousands. Few people move within two weeks.
    Field.ADDRESS: {Level.EQUAL: 7, Level.VARIANT: 7, Level.CLOSE: 5, Level.UNKNOWN: 0, Level.DIFFERENT: -4},
    # A telephone is shared by a household only; many people have two numbers.
    Field.PHONE: {Level.EQUAL: 8, Level.CLOSE: 6, Level.DIFFERENT: -3},
    # A mailbox is shared by a household only; many people have several, or write on paper the second time.
    Field.EMAIL: {Level.EQUAL: 8, Level.CLOSE: 6, Level.UNKNOWN: 0, Level.DIFFERENT: -1},
    # Either parent may sign the second time. Names alone are no doubt: an address, telephone or mailbox must agree.
    Field.GUARDIAN: {Level.EQUAL: 2.5, Level.VARIANT: 2.5, Level.READING: 2, Level.UNKNOWN: 0, Level.DIFFERENT: -1},
}  # fmt: skip
"""Bits of each level of each field, with the reason. Chosen on households of seeds 1 to 10, tested on 11 to 20."""


def score(levels: Mapping[Field, Level]) -> float:
    """Return the bits of the levels; what a household shares adds at most HOUSEHOLD_BITS together."""
    shared = sum(WEIGHTS[field][level] for field, level in levels.items() if field in HOUSEHOLD)
    own = sum(WEIGHTS[field][level] for field, level in levels.items() if field not in HOUSEHOLD)
    return own + min(shared, HOUSEHOLD_BITS)
