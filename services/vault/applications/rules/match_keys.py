"""Make match keys of names and addresses: what two writings of one person have in common. Pure.

Keys only find and compare applications. They are never shown, printed or stored in clear; where they are stored, they
are keyed hashes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import jaconv

from services.vault.applications.rules.normalise import address_key, display, fold_variants
from services.vault.applications.rules.variants import fold_characters

Readings: TypeAlias = Callable[[str], tuple[frozenset[str], frozenset[str]]]
"""Part of a name → its readings as a surname and as a given name, in hiragana; empty where none is known."""

_KANA: Final = re.compile(r"[ぁ-ゖーゝゞ・]+")
_ONE_SOUND: Final = str.maketrans({"ぢ": "じ", "づ": "ず", "ー": "", "・": "", "ヶ": "け"})
_MUNICIPALITY: Final = re.compile(
    r"^(?:[^\d-]{1,4}郡[^\d-]{1,6}?[町村]|(?:[^\d-]{1,5}市)?[^\d-]{1,5}区|[^\d-]{1,6}?市)(?=.)"
)
_NUMBERS: Final = re.compile(r"\d+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, repr=False)
class NameKey:
    """Match key of a name. `surname` is empty where the name has one part that no dictionary divides."""

    whole: str
    surname: str
    given: str
    surname_readings: frozenset[str]
    given_readings: frozenset[str]
    is_surname_kana: bool
    is_given_kana: bool

    def __repr__(self) -> str:
        return "NameKey(…)"


@dataclass(frozen=True, repr=False)
class AddressKey:
    """Match key of an address without its municipality: the town in characters, and the numbers in order."""

    town: str
    numbers: tuple[str, ...]

    def __repr__(self) -> str:
        return "AddressKey(…)"

    @property
    def dwelling(self) -> str:
        """Return town and up to three numbers: the building without the room."""
        return "-".join((self.town, *self.numbers[:3]))


def name_match_key(name: str, readings: Readings) -> NameKey:
    """Return the match key of a name in any spelling."""
    parts = [one for one in fold_variants(display(name)).split(" ") if one]
    if len(parts) == 1:
        parts = list(_divided(parts[0], readings))
    surname, given = (parts[0], "".join(parts[1:])) if len(parts) > 1 else ("", "".join(parts))
    return NameKey(
        whole="".join(map(fold_part, parts)),
        surname=fold_part(surname),
        given=fold_part(given),
        surname_readings=part_readings(surname, readings, 0) if surname else frozenset(),
        given_readings=part_readings(given, readings, 1),
        is_surname_kana=_is_kana(surname),
        is_given_kana=_is_kana(given),
    )


def part_readings(part: str, readings: Readings, kind: int) -> frozenset[str]:
    """Return the readings of one part of a name; `kind` 0: surname, 1: given name. Kana is its own reading."""
    kana = hiragana(part)
    if _KANA.fullmatch(kana):
        return frozenset({sound_of(kana)})
    found = readings(part)[kind] | readings(fold_part(part))[kind]
    return frozenset(sound_of(hiragana(one)) for one in found)


def address_match_key(address: str) -> AddressKey:
    """Return the match key of an address: prefecture and municipality may be left out, numerals may be kanji."""
    key = fold_characters(address_key(address))
    local = _MUNICIPALITY.sub("", key)
    first = _NUMBERS.search(local)
    town = local if first is None else local[: first.start()]
    return AddressKey("".join(_LETTERS.findall(town)), tuple(_NUMBERS.findall(local[len(town) :])))


def _is_kana(part: str) -> bool:
    return _KANA.fullmatch(hiragana(part)) is not None


def fold_part(text: str) -> str:
    """Return a part of a name without variants; katakana as hiragana."""
    return fold_characters(hiragana(text))


def hiragana(text: str) -> str:
    """Return the text with katakana as hiragana."""
    return str(jaconv.kata2hira(unicodedata.normalize("NFKC", text)))


def _divided(name: str, readings: Readings) -> tuple[str, ...]:
    """Return surname and given name of a name without a blank; the name itself where no dictionary divides it."""
    divisions = [parts for parts in _divisions(name) if readings(parts[0])[0] and readings(parts[1])[1]]
    return max(divisions, key=lambda parts: len(parts[0]), default=(name,))


def _divisions(name: str) -> Iterator[tuple[str, str]]:
    return ((name[:index], name[index:]) for index in range(1, len(name)))


def sound_of(kana: str) -> str:
    """Return the hiragana with one letter for each sound: ぢ and じ are one, a long vowel mark is none."""
    return kana.translate(_ONE_SOUND)
