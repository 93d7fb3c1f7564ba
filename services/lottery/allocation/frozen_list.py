"""Frozen list in compact form: all ids in one buffer, and for each entry the number of its list of choices. Pure.

Applicants choose few classes in few orders, so distinct lists of choices are few. An entry takes 20 bytes: its id and
the number of its list. Ten million entries take 200 MB of memory.
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
    """`ids`: 16 bytes each, strictly increasing; `table[lists[i]]`: the choices of entry i in order."""

    ids: bytes | memoryview
    lists: NDArray[np.uint32]
    table: tuple[Choices, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "FrozenList":
        """Make a list from entries that are sorted by id."""
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

    def ids_of(self, positions: Positions) -> bytes:
        """Return the ids of these entries, concatenated."""
        return np.frombuffer(self.ids, np.uint8, len(self) * BLOCK).reshape(-1, BLOCK)[positions].tobytes()

    def choices(self, position: int) -> Choices:
        return self.table[self.lists[position]]

    def position(self, entry: bytes) -> int | None:
        """Return the position of an entry id; None if it is not in the list."""
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
        """Return the rows (`docs/protocols.md` §2) from entry `start` up to but without `end`."""
        formatted = [format_choices(choices) for choices in self.table]
        whole = bytes(self.ids[start * BLOCK : None if end is None else end * BLOCK]).hex()
        lists = self.lists[start:end].tolist()
        size = 2 * BLOCK
        return "".join(f"{whole[at * size : (at + 1) * size]} {formatted[number]}\n" for at, number in enumerate(lists))

    def texts(self) -> Iterator[str]:
        """Yield all rows in pieces."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield self.text(start, start + _ROWS_AT_ONCE)

    def count_by_class(self) -> dict[str, int]:
        """Count the entries that chose each class."""
        counts: dict[str, int] = {}
        for choices, times in zip(self.table, np.bincount(self.lists, minlength=len(self.table)).tolist(), strict=True):
            for name, _ in choices:
                counts[name] = counts.get(name, 0) + times
        return {name: count for name, count in sorted(counts.items()) if count}


def format_choices(choices: Choices) -> str:
    """Format choices as `<class>:<seats>[,…]`, in order of preference."""
    return ",".join(f"{name}:{seats}" for name, seats in choices)
