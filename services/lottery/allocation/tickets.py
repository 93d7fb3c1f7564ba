"""Tickets: the rank of every entry in the draw, by a standard cipher (`docs/protocols.md` §2, "Tickets"). Pure.

`ticket(e) = AES-256-ECB-decrypt(K, e)`: a permutation of 16-byte blocks, so no two entries share a ticket.
"""

from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import NDArray

BLOCK: Final = 16

Positions = NDArray[np.uint32]
"""Positions of entries in the frozen list, from 0."""

_AT_ONCE: Final = 1 << 19
"""Entries that are decrypted in one call: 8 MiB, which fits a processor's cache."""


def tickets(key: bytes, ids: bytes | memoryview) -> bytes:
    """Compute the tickets of `ids` (16 bytes each, concatenated), in the same order."""
    return _decryptor(key).update(ids)


def _decryptor(key: bytes) -> CipherContext:
    # ECB on single independent blocks is a permutation by design here; nothing is kept secret with it.
    return Cipher(algorithms.AES256(key), modes.ECB()).decryptor()  # noqa: S305


class DrawnOrder:
    """Entries by ascending ticket (as a big-endian number).

    The highest bits of each ticket and the entry's position share one 64-bit number, so that the sort is one of plain
    integers. Where those bits agree, the whole tickets are compared, and only for ranks that are read.
    """

    def __init__(self, key: bytes, ids: bytes | memoryview) -> None:
        """Sort the entries `ids` (16 bytes each, concatenated)."""
        self._key, self._ids = key, memoryview(ids)
        self._bits = max(1, (len(self) - 1).bit_length())
        self._packed = self._pack()
        self._packed.sort()

    def __len__(self) -> int:
        return len(self._ids) // BLOCK

    def run(self, start: int, end: int) -> Positions:
        """Return the positions of ranks `start` (from 0) up to but without `end`."""
        start = max(start, 0)
        end = max(start, min(end, len(self)))
        low, high = self._include_ties(start, end)
        self._settle(low, high)
        return self._positions(start, end)

    def backwards(self, start: int, end: int) -> Positions:
        """Return the positions of these ranks counted from the last one, in descending order."""
        return self.run(len(self) - end, len(self) - start)[::-1]

    def _positions(self, start: int, end: int) -> Positions:
        return (self._packed[start:end] & np.uint64((1 << self._bits) - 1)).astype(np.uint32)

    def _pack(self) -> NDArray[np.uint64]:
        """Pack the ticket's highest 64 - `bits` bits and the position into one number for each entry."""
        packed = np.empty(len(self), np.uint64)
        high = np.uint64((1 << 64) - (1 << self._bits))
        decryptor = _decryptor(self._key)
        buffer = bytearray(BLOCK * (min(_AT_ONCE, len(self)) + 1) - 1)  # `update_into` asks for a block less one byte
        halves = np.frombuffer(buffer, dtype=">u8", count=len(buffer) // 8)[::2]
        for start in range(0, len(self), _AT_ONCE):
            end = min(start + _AT_ONCE, len(self))
            decryptor.update_into(self._ids[start * BLOCK : end * BLOCK], buffer)
            part = packed[start:end]
            part[:] = halves[: end - start]
            part &= high
            part |= np.arange(start, end, dtype=np.uint64)
        return packed

    def _tied(self, rank: int) -> bool:
        """Return True if this rank and the next agree in all bits before the position."""
        return bool((self._packed[rank] ^ self._packed[rank + 1]) >> np.uint64(self._bits) == 0)

    def _include_ties(self, start: int, end: int) -> tuple[int, int]:
        """Extend a range of ranks so that it cuts through no tie."""
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
        """Return the tickets in hex, because numpy drops zero bytes at the end of texts."""
        offsets = (int(at) * BLOCK for at in self._positions(start, end))
        return np.array([tickets(self._key, self._ids[at : at + BLOCK]).hex() for at in offsets], dtype="S32")
