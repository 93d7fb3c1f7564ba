"""Order of an entry's choices in a draw without preferences (`docs/protocols.md` §2). Pure.

Ascending `AES-256-ECB-decrypt(SHA-256(K ‖ class id), e)`, so that no class is favoured.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.frozen_list import Choices
from services.lottery.allocation.tickets import tickets


def shuffle_choices(key: bytes, ids: bytes, lists: Sequence[Choices]) -> list[Choices]:
    """Return the choices of each entry (16 bytes of `ids` each) in random order, which K determines."""
    names = sorted({name for choices in lists for name, _ in choices})
    lots = {name: _lots(hashlib.sha256(key + name.encode("ascii")).digest(), ids) for name in names}
    return [
        tuple(sorted(choices, key=lambda choice: tuple(lots[choice[0]][at].tolist())))
        for at, choices in enumerate(lists)
    ]


def _lots(key: bytes, ids: bytes) -> NDArray[np.uint64]:
    """Return two 64-bit halves for each entry, the upper half first."""
    return np.frombuffer(tickets(key, ids), dtype=">u8").reshape(-1, 2).astype(np.uint64)
