"""Look up readings of names in the Sudachi dictionary, which comes inside a package and is read from its file."""

import threading
from functools import lru_cache
from typing import Final

from sudachipy import Dictionary

_PERSON: Final = "人名"
_SURNAME: Final = "姓"
_GIVEN: Final = "名"
_NOUN: Final = "名詞"
_CACHED: Final = 20_000


class NameReadings:
    """Readings of parts of names. Opening takes a tenth of a second; the dictionary's pages are shared by processes.

    The cache holds parts of names in memory only, as long as the process lives.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._dictionary: Dictionary | None = None
        self.of = lru_cache(_CACHED)(self._look_up)

    def _look_up(self, part: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the readings (katakana) of a part as a surname and as a given name.

        A part that the dictionary has as no such name gets its readings as a noun: 檜 is read ひのき.
        """
        with self._lock:
            if self._dictionary is None:
                self._dictionary = Dictionary(dict="core")
            found = [(one.reading_form(), one.part_of_speech()) for one in self._dictionary.lookup(part)]
        nouns = frozenset(reading for reading, speech in found if speech[0] == _NOUN)
        named = {
            kind: frozenset(reading for reading, speech in found if speech[2:4] == (_PERSON, kind))
            for kind in (_SURNAME, _GIVEN)
        }
        return named[_SURNAME] or nouns, named[_GIVEN] or nouns
