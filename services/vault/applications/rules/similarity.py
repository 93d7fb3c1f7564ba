"""Compare two applicants field by field: do both applications come from one person? Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from services.vault.applications.rules.match_keys import (
    AddressKey,
    NameKey,
    Readings,
    address_match_key,
    name_match_key,
)
from services.vault.applications.rules.normalise import name_key, without_extension
from services.vault.applications.rules.weights import THRESHOLD, Field, Level, score
from services.vault.identities.person import Person

_PREFIX: Final = 3
"""Digits of 090, 080, 070: equal numbers behind two of them are two lines."""

_DIGITS: Final = re.compile(r"[0-9]+")
"""Mailboxes yui1@ and yui2@ are those of two people."""


@dataclass(frozen=True, repr=False)
class Compared:
    """Values of one applicant as they are compared; in memory only."""

    name: NameKey
    exact_name: str
    postal_code: str
    address: AddressKey
    phone: str
    age: int | None
    grade: str | None
    email: str | None
    guardian: NameKey | None

    def __repr__(self) -> str:
        return "Compared(…)"

    @classmethod
    def of(cls, person: Person, readings: Readings) -> "Compared":
        """Return the values of a person."""
        guardian = person.guardian_name
        return cls(
            name=name_match_key(person.name, readings),
            exact_name=name_key(person.name),
            postal_code=person.postal_code,
            address=address_match_key(person.address),
            phone=without_extension(person.phone),
            age=person.age,
            grade=person.grade,
            email=None if person.email is None else person.email.casefold(),
            guardian=None if guardian is None else name_match_key(guardian, readings),
        )


@dataclass(frozen=True)
class Likeness:
    """Comparison of two applicants: the level of each field, and the bits in all. It holds nothing of a person."""

    levels: Mapping[Field, Level]
    bits: float

    @property
    def is_doubt(self) -> bool:
        """True if a person has to decide."""
        return self.bits >= THRESHOLD


def compare(one: Compared, other: Compared) -> Likeness:
    """Return how alike two applicants are; the order of the two makes no difference."""
    levels = {field: level_of(one, other) for field, level_of in _LEVELS.items()}
    return Likeness(levels, score(levels))


def _given(one: Compared, other: Compared) -> Level:
    if not one.name.surname or not other.name.surname:
        return _undivided(one, other)
    if one.name.given == other.name.given:
        return Level.EQUAL if one.exact_name == other.exact_name else Level.VARIANT
    is_kana = one.name.is_given_kana or other.name.is_given_kana
    return _by_reading(one.name.given_readings & other.name.given_readings, is_kana=is_kana)


def _undivided(one: Compared, other: Compared) -> Level:
    """Compare whole names where one of them cannot be divided into surname and given name."""
    if one.name.whole == other.name.whole:
        return Level.EQUAL if one.exact_name == other.exact_name else Level.VARIANT
    return Level.READING if _whole_readings(one.name) & _whole_readings(other.name) else Level.DIFFERENT


def _whole_readings(name: NameKey) -> frozenset[str]:
    if not name.surname:
        return name.given_readings | {name.whole}
    return frozenset(first + last for first in name.surname_readings for last in name.given_readings)


def _surname(one: Compared, other: Compared) -> Level:
    if not one.name.surname or not other.name.surname:
        return Level.UNKNOWN
    if one.name.surname == other.name.surname:
        return Level.EQUAL
    is_kana = one.name.is_surname_kana or other.name.is_surname_kana
    return _by_reading(one.name.surname_readings & other.name.surname_readings, is_kana=is_kana)


def _by_reading(common: frozenset[str], *, is_kana: bool) -> Level:
    if not common:
        return Level.DIFFERENT
    return Level.READING if is_kana else Level.SAME_SOUND


def _age(one: Compared, other: Compared) -> Level:
    first, second = _years(one), _years(other)
    if first is None or second is None:
        return Level.UNKNOWN
    if one.grade == other.grade and one.age == other.age:
        return Level.EQUAL
    allowed = 1.0 if (one.grade is None) == (other.grade is None) else 1.5
    return Level.CLOSE if abs(first - second) <= allowed else Level.DIFFERENT


def _years(one: Compared) -> float | None:
    """Return the age in years; of a school grade the middle of its ages (p1: 6 to 7)."""
    if one.grade is None:
        return one.age
    return {"p": 5.5, "j": 11.5}[one.grade[0]] + int(one.grade[1])


def _address(one: Compared, other: Compared) -> Level:
    first, second = one.address, other.address
    if first == second:
        return Level.EQUAL
    if first.town != second.town and one.postal_code != other.postal_code:
        return Level.DIFFERENT
    if first.numbers == second.numbers and first.numbers:
        return Level.VARIANT
    short, long_ = sorted((first.numbers, second.numbers), key=len)
    if len(short) > 1 and long_[: len(short)] == short:
        return Level.CLOSE
    return Level.CLOSE if _one_slip("-".join(first.numbers), "-".join(second.numbers)) else Level.DIFFERENT


def _phone(one: Compared, other: Compared) -> Level:
    if one.phone == other.phone:
        return Level.EQUAL
    is_one_kind = one.phone[:_PREFIX] == other.phone[:_PREFIX]
    return Level.CLOSE if is_one_kind and _one_slip(one.phone, other.phone) else Level.DIFFERENT


def _email(one: Compared, other: Compared) -> Level:
    if one.email is None or other.email is None:
        return Level.UNKNOWN
    if one.email == other.email:
        return Level.EQUAL
    has_equal_numbers = _DIGITS.findall(one.email) == _DIGITS.findall(other.email)
    return Level.CLOSE if has_equal_numbers and _one_slip(one.email, other.email) else Level.DIFFERENT


def _guardian(one: Compared, other: Compared) -> Level:
    first, second = one.guardian, other.guardian
    if first is None or second is None:
        return Level.UNKNOWN
    if first.whole == second.whole:
        return Level.EQUAL
    is_kana = first.is_given_kana or second.is_given_kana
    is_read_alike = is_kana and _whole_readings(first) & _whole_readings(second)
    return Level.READING if is_read_alike else Level.DIFFERENT


def _one_slip(one: str, other: str) -> bool:
    """Return True if one character was left out, added or replaced, or two neighbours were exchanged."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return one == other
    start = next((index for index, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return True
    rest, others = one[start:], other[start:]
    is_exchanged = rest[:2] == others[1::-1] and rest[2:] == others[2:]
    return is_exchanged or rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]


_LEVELS: Final[Mapping[Field, Callable[[Compared, Compared], Level]]] = {
    Field.GIVEN: _given,
    Field.SURNAME: _surname,
    Field.AGE: _age,
    Field.ADDRESS: _address,
    Field.PHONE: _phone,
    Field.EMAIL: _email,
    Field.GUARDIAN: _guardian,
}
