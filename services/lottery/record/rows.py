"""Rows: the text of the frozen list, to which the manifest commits (`docs/protocols.md` §2, "Rows"). Pure.

One ASCII line per entry, `<32 hex> <class>:<seats>[,…]` and a line feed, by strictly increasing id. Each run of
1,024 lines is one leaf of the Merkle tree.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from shared.merkle import leaf_hash, root

LEAF_ROWS = 1024

_ROW = re.compile(r"([0-9a-f]{32}) ((?:[a-z0-9-]+:[1-9][0-9]*)(?:,[a-z0-9-]+:[1-9][0-9]*)*)\n")


class InvalidRowsError(ValueError):
    """Raised when a text is not a list of rows; names the line, counted from 1."""


def write_rows(entries: Iterable[Entry]) -> str:
    """Write entries as rows, sorted by id. Raises InvalidRowsError if an id occurs twice."""
    ordered = sorted(entries, key=lambda entry: entry.id)
    for before, after in pairwise(ordered):
        if before.id == after.id:
            raise InvalidRowsError("an entry stands twice")
    return FrozenList.of(ordered).text()


def read_rows(text: str) -> list[Entry]:
    """Read rows. Raises InvalidRowsError for another form, a wrong order, or a class that a row names twice."""
    entries: list[Entry] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        matched = _ROW.fullmatch(line)
        if matched is None:
            raise InvalidRowsError(f"line {number} does not have the form of a row")
        choices = tuple((name, int(seats)) for name, seats in (choice.split(":") for choice in matched[2].split(",")))
        entry = Entry(bytes.fromhex(matched[1]), choices)
        if entries and entries[-1].id >= entry.id:
            raise InvalidRowsError(f"line {number} is out of order")
        if len(dict(choices)) != len(choices):
            raise InvalidRowsError(f"line {number} asks for a class twice")
        entries.append(entry)
    return entries


def leaves(text: str) -> Iterator[bytes]:
    """Yield each run of 1,024 consecutive lines with their line feeds."""
    lines = text.splitlines(keepends=True)
    for start in range(0, len(lines), LEAF_ROWS):
        yield "".join(lines[start : start + LEAF_ROWS]).encode("ascii")


def compute_root(text: str) -> str:
    """Compute the Merkle root over the leaves, in hex."""
    return root([leaf_hash(leaf) for leaf in leaves(text)]).hex()


def read_leaf(frozen: FrozenList, number: int) -> bytes:
    """Return the `number`th leaf (from 0): a run of 1,024 rows."""
    return frozen.text(number * LEAF_ROWS, (number + 1) * LEAF_ROWS).encode("ascii")


def leaf_hashes(frozen: FrozenList) -> list[bytes]:
    """Hash every leaf, in order, for the root and for audit paths."""
    return [leaf_hash(read_leaf(frozen, number)) for number in range(-(-len(frozen) // LEAF_ROWS))]
