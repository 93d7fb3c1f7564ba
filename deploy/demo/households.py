"""Households of the demo: families, couples, teenagers, with unique homes and telephone numbers. Seeded."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from deploy.demo import addresses, names
from deploy.demo.addresses import Home, Town
from deploy.demo.names import Name

ADULT_AGE: Final = 20
"""R-D2: under 20 a guardian is named."""
_SCHOOL: Final = ("p1", "p2", "p3", "p3", "p4", "p4", "p5", "p5", "p6", "p6", "j1", "j2", "j3")
_LINES: Final = ("090", "080", "070", "03")
_NUMBERS_IN_BLOCK: Final = 10_000
_BLOCKS: Final = 1_000
_STEP: Final = 7_919
"""Coprime to the block's size, so that neighbours in the list do not have neighbouring numbers."""

_ATTEMPTS: Final = 8
"""How often a free house is looked for by chance."""


@dataclass(frozen=True)
class Household:
    """People at one address with one telephone."""

    home: Home
    phone: str
    guardian: Name


@dataclass(frozen=True)
class Person:
    """One applicant with the facts the rules look at: `grade` for pupils, else `age` in years."""

    name: Name
    household: Household
    grade: str | None
    age: int | None

    @property
    def is_minor(self) -> bool:
        return self.age is None or self.age < ADULT_AGE


class Neighbourhood:
    """Makes people on demand. No two households share a house number or a telephone, no two people are alike."""

    def __init__(self, dice: random.Random, canary: str) -> None:
        self._dice, self._canary = dice, canary
        self._houses: set[tuple[Town, int, int, int]] = set()
        self._lines = 0

    def people(self, towns: tuple[Town, ...]) -> Iterator[Person]:
        """Yield people without end; members of one household follow each other."""
        while True:
            kind = self._dice.choices(("family", "adults", "teenager"), weights=(55, 38, 7))[0]
            household = self._household(towns)
            if kind == "family":
                yield from self._family(household)
            elif kind == "adults":
                yield from self._adults(household)
            else:
                yield self._person(household, names.CHILDREN, age=self._dice.randint(15, ADULT_AGE - 1))

    def siblings(self, towns: tuple[Town, ...], grade: str) -> Iterator[Person]:
        """Yield children without end; two children of one grade and one household follow each other."""
        while True:
            household = self._household(towns)
            for given in self._dice.sample(names.CHILDREN, 2):
                yield self._person(household, (given,), grade=grade)

    def _family(self, household: Household) -> Iterator[Person]:
        children = self._dice.choices((1, 2, 3), weights=(60, 33, 7))[0]
        for given in self._dice.sample(names.CHILDREN, children):
            yield self._person(household, (given,), grade=self._dice.choice(_SCHOOL))

    def _adults(self, household: Household) -> Iterator[Person]:
        for given in self._dice.sample(names.ADULTS, self._dice.choices((1, 2), weights=(75, 25))[0]):
            yield self._person(household, (given,), age=self._dice.randint(ADULT_AGE, 84))

    def _person(
        self,
        household: Household,
        given: tuple[names.NamePart, ...],
        *,
        grade: str | None = None,
        age: int | None = None,
    ) -> Person:
        name = Name(household.guardian.surname, self._dice.choice(given), self._canary)
        return Person(name, household, grade, age)

    def _household(self, towns: tuple[Town, ...]) -> Household:
        guardian = Name(self._dice.choice(names.SURNAMES), self._dice.choice(names.ADULTS), self._canary)
        return Household(self._home(towns), self._phone(), guardian)

    def _home(self, towns: tuple[Town, ...]) -> Home:
        """Return a home in a house of its own; towns that are full (95,000 households) get more blocks of houses."""
        for _ in range(_ATTEMPTS):
            home = addresses.make_home(self._dice, towns, self._canary)
            if _house(home) not in self._houses:
                break
        while _house(home) in self._houses:
            home = replace(home, ban=home.ban + addresses.BANS)
        self._houses.add(_house(home))
        return home

    def _phone(self) -> str:
        """Return an unassigned number: no assigned range of Japan has a 0 after the prefix."""
        turn, line = divmod(self._lines, len(_LINES))
        block, number = divmod(turn, _NUMBERS_IN_BLOCK)
        self._lines += 1
        block += canary_digits(self._canary)
        return f"{_LINES[line]}-0{block % _BLOCKS:03d}-{number * _STEP % _NUMBERS_IN_BLOCK:04d}"


def _house(home: Home) -> tuple[Town, int, int, int]:
    return home.town, home.chome, home.ban, home.go


def canary_digits(canary: str) -> int:
    """Return the three digits after the prefix's 0 in the telephone numbers of a canary's people; 0 without canary."""
    return int.from_bytes(hashlib.sha256(canary.encode()).digest()[:4], "big") % _BLOCKS if canary else 0
