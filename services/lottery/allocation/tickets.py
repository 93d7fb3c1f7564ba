"""Tickets: every entry's place in the draw, by one cipher that anybody has (`docs/protocols.md` §2, "Tickets"). Pure.

`ticket(e) = AES-256-ECB-decrypt(K, e)`: a permutation of 16-byte blocks, so no two entries share a ticket.
"""

from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

BLOCK: Final = 16

Positions = NDArray[np.uint32]
"""Places of entries in the frozen list, from 0."""

_AT_ONCE: Final = 1 << 19
"""Entries decrypted in one call: 8 MiB, which a processor's cache still helps with."""


def tickets(key: bytes, ids: bytes | memoryview) -> bytes:
    """The tickets of `ids` (16 bytes each, one after another), in the same order. One call for any number."""
    # ECB on single independent blocks is a permutation by design here; nothing is kept secret with it.
    decryptor = Cipher(algorithms.AES256(key), modes.ECB()).decryptor()  # noqa: S305
    return decryptor.update(ids) + decryptor.finalize()


class DrawnOrder:
    """Entries by ticket, lowest (as a big-endian number) first; positions are looked up where they are needed.

    The highest bits of each ticket and the entry's position share one 64-bit number, so that one sort of plain
    integers does it. Where those bits agree, the whole tickets decide: seldom, and only where somebody looks.
    """

    def __init__(self, key: bytes, ids: bytes | memoryview) -> None:
        """`ids`: 16 bytes each, one after another."""
        self._key, self._ids = key, memoryview(ids)
        self._bits = max(1, (len(self) - 1).bit_length())
        self._packed = self._pack()
        self._packed.sort()

    def __len__(self) -> int:
        return len(self._ids) // BLOCK

    def run(self, start: int, end: int) -> Positions:
        """Who stands from place `start` (from 0) to before `end`."""
        start = max(start, 0)
        end = max(start, min(end, len(self)))
        low, high = self._whole_ties(start, end)
        self._settle(low, high)
        return self._positions(start, end)

    def backwards(self, start: int, end: int) -> Positions:
        """The same, counted from the last place on."""
        return self.run(len(self) - end, len(self) - start)[::-1]

    def _positions(self, start: int, end: int) -> Positions:
        return (self._packed[start:end] & np.uint64((1 << self._bits) - 1)).astype(np.uint32)

    def _pack(self) -> NDArray[np.uint64]:
        """The ticket's highest 64 - `bits` bits, then the position."""
        packed = np.empty(len(self), np.uint64)
        high = np.uint64((1 << 64) - (1 << self._bits))
        for start in range(0, len(self), _AT_ONCE):
            end = min(start + _AT_ONCE, len(self))
            halves = np.frombuffer(tickets(self._key, self._ids[start * BLOCK : end * BLOCK]), dtype=">u8")
            part = packed[start:end]
            part[:] = halves[::2]
            part &= high
            part |= np.arange(start, end, dtype=np.uint64)
        return packed

    def _tied(self, place: int) -> bool:
        """Whether this place and the next agree in all bits before the position."""
        return bool((self._packed[place] ^ self._packed[place + 1]) >> np.uint64(self._bits) == 0)

    def _whole_ties(self, start: int, end: int) -> tuple[int, int]:
        """A run that cuts through no tie."""
        while 0 < start < len(self) and self._tied(start - 1):
            start -= 1
        while 0 < end < len(self) and self._tied(end - 1):
            end += 1
        return start, end

    def _settle(self, start: int, end: int) -> None:
        part = self._packed[start:end]
        same = np.flatnonzero((part[1:] ^ part[:-1]) < np.uint64(1 << self._bits))
        if same.size:
            for run in np.split(same, np.flatnonzero(np.diff(same) != 1) + 1):
                low, high = start + int(run[0]), start + int(run[-1]) + 2
                self._packed[low:high] = self._packed[low:high][np.argsort(self._whole_tickets(low, high))]

    def _whole_tickets(self, start: int, end: int) -> NDArray[np.bytes_]:
        """Hex, for numpy's texts know no zero bytes at their end."""
        places = (int(at) * BLOCK for at in self._positions(start, end))
        return np.array([tickets(self._key, self._ids[at : at + BLOCK]).hex() for at in places], dtype="S32")
