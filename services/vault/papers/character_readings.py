"""Find characters by their reading: readings of the Sudachi dictionary, shared by all forms of a character.

The dictionary reads 高 and 崎, and has no entry for 髙 and 﨑. Forms of one character, by the table that finds
duplicates, share their readings here. The index is made from both packages when it is first asked for.
"""

import threading
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sudachipy import Dictionary

from services.vault.applications.rules.variants import FOLDED

Prints = Callable[[str], bool]
"""Returns True if the fonts of cards have the character."""

_Place: TypeAlias = tuple[bool, bool, bool]

_PERSON: Final = "人名"
_HAN: Final = (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x30000))
_TO_KATAKANA: Final = {point: point + 0x60 for point in range(0x3041, 0x3097)}
_KANA: Final = range(0x30A1, 0x30FD)


def to_reading(text: str) -> str | None:
    """Return the text in katakana; None where it is no reading."""
    katakana = unicodedata.normalize("NFKC", text).translate(_TO_KATAKANA)
    return katakana if katakana and all(ord(one) in _KANA for one in katakana) else None


class CharacterReadings:
    """Characters that cards can show, by reading. The first question takes half a second."""

    def __init__(self, prints: Prints) -> None:
        self._prints, self._lock = prints, threading.Lock()
        self._index: Mapping[str, tuple[str, ...]] | None = None

    def find(self, reading: str) -> tuple[str, ...]:
        """Return the characters of a reading (katakana), forms of those in names first."""
        with self._lock:
            if self._index is None:
                self._index = self._make()
        return self._index.get(reading, ())

    def _make(self) -> Mapping[str, tuple[str, ...]]:
        dictionary, families = Dictionary(dict="core"), defaultdict[str, list[str]](list)
        for character in (chr(point) for points in _HAN for point in points):
            if self._prints(character):
                families[character.translate(FOLDED)].append(character)
        index = defaultdict[str, list[tuple[_Place, str]]](list)
        for forms in families.values():
            found = [one for form in forms for one in dictionary.lookup(form)]
            names = {one.reading_form() for one in found if one.part_of_speech()[2] == _PERSON}
            for reading in {one.reading_form() for one in found}:
                index[reading] += [(_place(form, is_name=reading in names), form) for form in forms]
        return {reading: tuple(form for _, form in sorted(placed)) for reading, placed in index.items()}


def _place(character: str, *, is_name: bool) -> _Place:
    """Order characters: forms of those in names first, and before others those that JIS X 0208 lacks."""
    return not is_name, _is_in("iso2022_jp", character), not _is_in("cp932", character)


def in_names(character: str) -> tuple[bool, bool, str]:
    """Order characters by how likely they are in a name of today: those of JIS X 0208, of Windows, and all others."""
    return not _is_in("iso2022_jp", character), not _is_in("cp932", character), character


def _is_in(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
