"""The frozen list as arithmetic reads it: ids in one piece, and for each entry which list of choices it has. Pure.

People ask for a few classes in a few orders, so the distinct lists of choices are few; an entry is its id and the
number of its list, 20 bytes. Ten million entries are 200 MB in memory and are never looked at one by one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.lottery.allocation.entries import Choice, Entry
from services.lottery.allocation.tickets import BLOCK, Positions

Choices = tuple[Choice, ...]

_ROWS_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True, eq=False)
class FrozenList:
    """`ids`: 16 bytes each, strictly increasing; `lists[i]` is entry i's place in `table`, its choices in order."""

    ids: bytes | memoryview
    lists: NDArray[np.uint32]
    table: tuple[Choices, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "FrozenList":
        """From entries in the order of their ids."""
        numbers: dict[Choices, int] = {}
        ids, lists = [], []
        for entry in entries:
            ids.append(entry.id)
            lists.append(numbers.setdefault(entry.choices, len(numbers)))
        return cls(b"".join(ids), np.array(lists, np.uint32), tuple(numbers))

    def __len__(self) -> int:
        return len(self.lists)

    def id(self, position: int) -> bytes:
        return bytes(self.ids[position * BLOCK : (position + 1) * BLOCK])

    def choices(self, position: int) -> Choices:
        return self.table[self.lists[position]]

    def position(self, entry: bytes) -> int | None:
        """Where an entry stands; None where it does not."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.id(middle) < entry:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self.id(low) == entry else None

    def hex_ids(self, positions: Positions | Sequence[int]) -> list[str]:
        return [self.id(int(at)).hex() for at in positions]

    def entries(self) -> Iterator[Entry]:
        for position in range(len(self)):
            yield Entry(self.id(position), self.choices(position))

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The rows of `docs/protocols.md` §2 from entry `start` to before `end`."""
        written = [row_choices(choices) for choices in self.table]
        whole = bytes(self.ids[start * BLOCK : None if end is None else end * BLOCK]).hex()
        lists = self.lists[start:end].tolist()
        size = 2 * BLOCK
        return "".join(f"{whole[at * size : (at + 1) * size]} {written[each]}\n" for at, each in enumerate(lists))

    def texts(self) -> Iterator[str]:
        """All rows, in pieces."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield self.text(start, start + _ROWS_AT_ONCE)

    def asked_for(self) -> dict[str, int]:
        """How many entries ask for each class."""
        counts: dict[str, int] = {}
        for choices, times in zip(self.table, np.bincount(self.lists, minlength=len(self.table)).tolist(), strict=True):
            for name, _ in choices:
                counts[name] = counts.get(name, 0) + times
        return {name: count for name, count in sorted(counts.items()) if count}


def row_choices(choices: Choices) -> str:
    """`<class>:<seats>[,…]`, in order of preference."""
    return ",".join(f"{name}:{seats}" for name, seats in choices)
