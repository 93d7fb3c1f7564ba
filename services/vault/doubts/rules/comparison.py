"""Set two people side by side: each field with what differs, and what its agreement says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from services.vault.applications.rules.weights import WEIGHTS, Field, Level
from services.vault.identities.person import Person


class Evidence(StrEnum):
    """Weight of a field in words. Texts of pages: `doubts.evidence.<value>`."""

    STRONG_FOR = "strong-for"
    FOR = "for"
    NONE = "none"
    AGAINST = "against"
    STRONG_AGAINST = "strong-against"


_STRONG: Final = 6


@dataclass(frozen=True)
class Segment:
    """Part of a value; `differs` where the other value has something else there."""

    text: str = field(repr=False)
    differs: bool


@dataclass(frozen=True)
class ComparedRow:
    """One field of both people. `level` is None for what is shown beside and not compared."""

    name: str
    first: Sequence[Segment] = field(repr=False)
    second: Sequence[Segment] = field(repr=False)
    level: Level | None
    evidence: Evidence | None


def side_by_side(first: Person, second: Person, levels: Mapping[Field, Level]) -> list[ComparedRow]:
    """Return the rows of two people. The form has one field for a name, whose two parts are compared apart."""
    rows = [
        ("name", first.name, second.name, Field.GIVEN),
        ("surname", _surname(first.name), _surname(second.name), Field.SURNAME),
        ("age", _age(first), _age(second), Field.AGE),
        ("postal-code", first.postal_code, second.postal_code, None),
        ("address", first.address, second.address, Field.ADDRESS),
        ("phone", first.phone, second.phone, Field.PHONE),
        ("email", first.email or "", second.email or "", Field.EMAIL),
        ("guardian", first.guardian_name or "", second.guardian_name or "", Field.GUARDIAN),
    ]
    return [_row(name, one, other, None if kind is None else (kind, levels[kind])) for name, one, other, kind in rows]


def _row(name: str, one: str, other: str, compared: tuple[Field, Level] | None) -> ComparedRow:
    level = None if compared is None else compared[1]
    evidence = None if compared is None else evidence_of(*compared)
    return ComparedRow(name, segments(one, other), segments(other, one), level, evidence)


def evidence_of(kind: Field, level: Level) -> Evidence:
    """Return what a level of a field says, in words."""
    bits = WEIGHTS[kind][level]
    if abs(bits) >= _STRONG:
        return Evidence.STRONG_FOR if bits > 0 else Evidence.STRONG_AGAINST
    if bits == 0:
        return Evidence.NONE
    return Evidence.FOR if bits > 0 else Evidence.AGAINST


def segments(one: str, other: str) -> list[Segment]:
    """Return the parts of `one`, each with whether `other` has it too."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return [Segment(one[start:end], tag != "equal") for tag, start, end, _, _ in matcher.get_opcodes() if end > start]


def _surname(name: str) -> str:
    """Return what stands before the first blank; empty where the name has none."""
    return name.partition(" ")[0] if " " in name else ""


def _age(person: Person) -> str:
    return person.grade or str(person.age)
