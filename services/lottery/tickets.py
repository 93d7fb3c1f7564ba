"""Tickets: every entry's place in the draw, by one cipher that anybody has (`docs/protocols.md` §2, "Tickets"). Pure.

`ticket(e) = AES-256-ECB-decrypt(K, e)`: a permutation of 16-byte blocks, so no two entries share a ticket.
"""

from collections.abc import Sequence

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

BLOCK = 16


def tickets(key: bytes, ids: bytes) -> bytes:
    """The tickets of `ids` (16 bytes each, one after another), in the same order. One call for any number."""
    # ECB on single independent blocks is a permutation by design here; nothing is kept secret with it.
    decryptor = Cipher(algorithms.AES256(key), modes.ECB()).decryptor()  # noqa: S305
    return decryptor.update(ids) + decryptor.finalize()


def drawn_order(key: bytes, ids: Sequence[bytes]) -> NDArray[np.intp]:
    """Positions in `ids`, lowest ticket (as a big-endian number) first."""
    halves = np.frombuffer(tickets(key, b"".join(ids)), dtype=">u8").reshape(-1, 2)
    upper = halves[:, 0].astype(np.uint64)
    order = np.argsort(upper)
    ordered = upper[order]
    if np.any(ordered[1:] == ordered[:-1]):  # 64 equal bits: possible, so the lower half decides
        return np.lexsort((halves[:, 1], upper))
    return order
