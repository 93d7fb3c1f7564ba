"""Compare a name as a caller says it with names as they are written: by characters, variants and readings. Pure."""

from dataclasses import dataclass
from typing import Final

from services.vault.applications.rules.match_keys import Readings, fold_part, name_match_key, part_readings, sound_of
from services.vault.applications.rules.normalise import name_key
from services.vault.applications.rules.variants import fold_characters

_SURNAME: Final = 0
_GIVEN: Final = 1
_TWO_PARTS: Final = 2


def spoken_parts(text: str) -> tuple[str, ...]:
    """Return the folded parts of a typed name: without widths, kana forms and variants of the public table."""
    return tuple(folded_name(part) for part in text.split())


def folded_name(name: str) -> str:
    """Return the name without blanks, widths, kana forms and variants of the public table."""
    return fold_characters(name_key(name))


@dataclass(frozen=True, repr=False, slots=True)
class _Compared:
    """Part of a written name. `ends`: bits of the places in the sound where a reading of this part ends or begins."""

    key: str
    fits: bool
    ends: int = 0


class SpokenName:
    """A name that was typed, compared with many. `readings`: of the parts of names.

    It remembers the parts that it compared (thousands of people share a surname), so it lives as long as one search.
    """

    def __init__(self, parts: tuple[str, ...], readings: Readings) -> None:
        self._parts, self._whole, self._readings = parts, "".join(parts), readings
        self._sounds = tuple(sound_of(part) for part in parts)
        self._cached: dict[tuple[int, str], _Compared] = {}

    def __repr__(self) -> str:
        return "SpokenName(…)"

    def fits(self, name: str) -> bool:
        """Return True if the written name has what was typed, in characters or in one of its readings."""
        parts = name.split(" ")
        if len(parts) != _TWO_PARTS or parts[_GIVEN].startswith("々"):
            return self._whole in folded_name(name) or self._fits_undivided(name)
        surname, given = self._part(_SURNAME, parts[_SURNAME]), self._part(_GIVEN, parts[_GIVEN])
        return self._whole in surname.key + given.key or self._fits_both(surname, given)

    def _fits_undivided(self, name: str) -> bool:
        """Compare a name without a blank, or with several: the dictionary divides it."""
        key = name_match_key(name, self._readings)
        surname = self._compare(_SURNAME, key.surname, key.surname_readings)
        return self._fits_both(surname, self._compare(_GIVEN, key.given, key.given_readings))

    def _fits_both(self, surname: _Compared, given: _Compared) -> bool:
        if len(self._parts) == 1:
            return surname.fits or given.fits or bool(surname.ends & given.ends)
        return len(self._parts) == _TWO_PARTS and surname.fits and given.fits

    def _part(self, kind: int, written: str) -> _Compared:
        known = self._cached.get((kind, written))
        if known is None:
            readings = part_readings(written, self._readings, kind)
            known = self._cached[kind, written] = self._compare(kind, fold_part(written), readings)
        return known

    def _compare(self, kind: int, key: str, readings: frozenset[str]) -> _Compared:
        """Compare one part with the part of its kind, or with all that was typed where that is one part."""
        index = kind if len(self._parts) == _TWO_PARTS else 0
        typed, sound = self._parts[index], self._sounds[index]
        fits = typed in key or (sound != "" and any(sound in reading for reading in readings))
        ends = 0
        if len(self._parts) == 1:
            for at in range(1, len(sound)):
                if any(_reaches(kind, reading, sound, at) for reading in readings):
                    ends |= 1 << at
        return _Compared(key, fits, ends)


def _reaches(kind: int, reading: str, sound: str, at: int) -> bool:
    """Return True if the surname ends, or the given name begins, at a place within the sound."""
    return reading.endswith(sound[:at]) if kind == _SURNAME else reading.startswith(sound[at:])
