"""Order of an entry's choices in a draw without preferences (`docs/spec/draw-2.md` §7). Pure.

Ascending `AES-256-ECB-decrypt(SHA-256(K ‖ class id), e)`, so that no class is favoured.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.frozen_list import Choices
from services.lottery.allocation.tickets import BLOCK, tickets

_AT_ONCE: Final = 1 << 14
"""Entries that are ordered in one step, so that their lots for every class take little memory."""


def shuffle_choices(
    key: bytes, ids: bytes, lists: NDArray[np.uint32], table: Sequence[Choices]
) -> tuple[list[Choices], NDArray[np.intp]]:
    """Order the choices of each entry (16 bytes of `ids` each) at random, which K determines.

    `table[lists[i]]`: the choices of entry i. Return the different ordered lists, and the number of each entry's list.
    """
    names = sorted({name for choices in table for name, _ in choices})
    keys = [hashlib.sha256(key + name.encode("ascii")).digest() for name in names]
    chosen = np.array([[name in dict(choices) for name in names] for choices in table], bool)
    orders: dict[tuple[int, bytes], int] = {}
    numbers = np.empty(len(lists), np.intp)
    for start in range(0, len(lists), _AT_ONCE):
        part = lists[start : start + _AT_ONCE]
        rows = _class_orders(keys, ids[start * BLOCK : (start + len(part)) * BLOCK], chosen[part])
        found = zip(part.tolist(), map(bytes, rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()), strict=True)
        numbers[start : start + len(part)] = [orders.setdefault(order, len(orders)) for order in found]
    return [_choices(dict(table[number]), names, row) for number, row in orders], numbers


def _class_orders(keys: Sequence[bytes], ids: bytes, chosen: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return for each entry the numbers of its chosen classes in the order of their lots, then -1 for each other."""
    lots = np.stack([np.frombuffer(tickets(key, ids), dtype=">u8").reshape(-1, 2) for key in keys], axis=1)
    order = np.lexsort((lots[:, :, 1], lots[:, :, 0], ~chosen), axis=1).astype(np.int16)
    order[np.arange(len(keys)) >= chosen.sum(axis=1)[:, np.newaxis]] = -1
    return order


def _choices(seats: dict[str, int], names: Sequence[str], row: bytes) -> Choices:
    chosen = np.frombuffer(row, np.int16)[: len(seats)]
    return tuple((names[at], seats[names[at]]) for at in chosen)
