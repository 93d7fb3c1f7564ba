"""In which order an entry tries its choices where they are not preferences (`docs/protocols.md` §2). Pure.

Ascending `AES-256-ECB-decrypt(SHA-256(K ‖ class id), e)`, so that no class is favoured.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.frozen_list import Choices
from services.lottery.allocation.tickets import tickets


def chance_orders(key: bytes, ids: bytes, lists: Sequence[Choices]) -> list[Choices]:
    """For each entry (16 bytes of `ids` each) its choices in the order that chance gives it."""
    names = sorted({name for choices in lists for name, _ in choices})
    lots = {name: _lots(hashlib.sha256(key + name.encode("ascii")).digest(), ids) for name in names}
    return [
        tuple(sorted(choices, key=lambda choice: tuple(lots[choice[0]][at].tolist())))
        for at, choices in enumerate(lists)
    ]


def _lots(key: bytes, ids: bytes) -> NDArray[np.uint64]:
    """Two halves for each entry, the upper first."""
    return np.frombuffer(tickets(key, ids), dtype=">u8").reshape(-1, 2).astype(np.uint64)
