"""Tell quickly which byte forms cannot stand in the logs: those with eight bytes that occur nowhere in them. Pure.

Each form of each person has to be looked for in each byte of the logs. The logs are read once into a table of their
sequences of eight bytes (a Bloom filter with one hash: Bloom, CACM 13(7), 1970); nearly every form is excluded by three
looks into it, and what remains is searched for exactly. A form that stands in the logs is never excluded.
"""

from collections.abc import Iterable, Sequence
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

_GRAM: Final = 8
_PLACES: Final = (0.0, 1.0, 0.5)
"""Where the sequences stand that are looked up, as a part of the form: first, last, middle."""

_CHUNK: Final = 1 << 20
_SMALLEST_BITS, _LARGEST_BITS = 16, 28
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
"""Odd number nearest to 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, section 6.4)."""


class LogGrams:
    """Set of sequences of eight bytes that occur in the logs, with some more that do not.

    `size`: bytes to be added, about. The table takes four bytes for each of them, at least 64 KiB, at most 256 MiB.
    """

    def __init__(self, size: int) -> None:
        bits = min(max((4 * max(0, size)).bit_length(), _SMALLEST_BITS), _LARGEST_BITS)
        self._shift = np.uint64(64 - bits)
        self._seen = np.zeros(1 << bits, dtype=np.bool_)

    def add(self, stream: BinaryIO) -> None:
        """Add a whole log. Raises OSError, EOFError as the stream does."""
        kept = b""
        while chunk := stream.read(_CHUNK):
            text = kept + chunk
            for start in range(min(_GRAM, len(text) - _GRAM + 1)):
                count = (len(text) - start) // _GRAM
                self._seen[self._slots(np.frombuffer(text, "<u8", count, start))] = True
            kept = text[-(_GRAM - 1) :]

    def possible(self, forms: Iterable[bytes]) -> set[bytes]:
        """Return the forms that may stand in the logs; those shorter than eight bytes always may."""
        distinct = set(forms)
        long = [form for form in distinct if len(form) >= _GRAM]
        found = distinct.difference(long)
        for place in _PLACES:
            starts = [int((len(form) - _GRAM) * place) for form in long]
            long = self._with_gram(long, [form[at : at + _GRAM] for form, at in zip(long, starts, strict=True)])
        return found.union(long)

    def _with_gram(self, forms: Sequence[bytes], grams: Sequence[bytes]) -> list[bytes]:
        seen = self._seen[self._slots(np.frombuffer(b"".join(grams), "<u8"))]
        return [form for form, stands in zip(forms, seen.tolist(), strict=True) if stands]

    def _slots(self, grams: NDArray[np.uint64]) -> NDArray[np.uint64]:
        return (grams * _MULTIPLIER) >> self._shift
