"""Proofs that an entry is on the frozen list, or is not, for whoever has the manifest's root (RFC 6962 §2.1.1). Pure.

Inclusion is shown by the leaf (a run of 1,024 rows) and its path to the root; absence by the leaf that would hold it,
and where the entry would stand between two leaves, by both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.lottery.record.merkle import root_from_path
from services.lottery.record.rows import BadRows, read_rows


@dataclass(frozen=True)
class Leaf:
    """`rows` with their line feeds; `index` from 0; `path`: nearest sibling first."""

    rows: str
    index: int
    path: tuple[bytes, ...]

    def shown(self) -> dict[str, Any]:
        return {"rows": self.rows, "index": self.index, "path": [each.hex() for each in self.path]}


def shown_proof(draw: str, entry: bytes, size: int, leaves: Sequence[Leaf]) -> dict[str, Any]:
    """The proof as it is handed out; `size`: how many leaves there are."""
    rows = {row[:32] for leaf in leaves for row in leaf.rows.splitlines()}
    return {
        "v": 1,
        "draw": draw,
        "entry": entry.hex(),
        "included": entry.hex() in rows,
        "size": size,
        "leaves": [leaf.shown() for leaf in leaves],
    }


def check_proof(shown: dict[str, Any], root: str) -> bool | None:
    """Whether the entry is on the list of that root (hex); None where the proof does not hold."""
    try:
        entry = bytes.fromhex(shown["entry"])
        leaves = [_ids(leaf, shown["size"], root) for leaf in shown["leaves"]]
        first, last = shown["leaves"][0]["index"], shown["leaves"][-1]["index"]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, BadRows):
        return None
    ids = [each for leaf in leaves for each in leaf]
    if entry in ids:
        return True
    together = last - first == len(leaves) - 1
    below = first == 0 or ids[0] < entry
    above = last == shown["size"] - 1 or entry < ids[-1]
    return False if together and below and above else None


def _ids(leaf: dict[str, Any], size: int, root: str) -> list[bytes]:
    """The leaf's entries. ValueError where it is not of that tree."""
    path = [bytes.fromhex(each) for each in leaf["path"]]
    reached = root_from_path(leaf["rows"].encode("ascii"), leaf["index"], size, path)
    if reached is None or reached.hex() != root:
        raise ValueError("the path does not lead to the root")
    return [each.id for each in read_rows(leaf["rows"])]
