"""Proofs that an entry is on the frozen list, or is not, against the manifest's root (RFC 6962 §2.1.1). Pure.

Inclusion is proved by the leaf (a run of 1,024 rows) and its path to the root. Absence is proved by the leaf that would
contain the entry, or by two neighbouring leaves if the entry would stand between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.lottery.record.rows import InvalidRowsError, read_rows
from shared.merkle import root_from_path


@dataclass(frozen=True)
class Leaf:
    """Leaf of the tree. `rows`: with line feeds; `index`: from 0; `path`: nearest sibling first."""

    rows: str
    index: int
    path: tuple[bytes, ...]

    def to_document(self) -> Mapping[str, Any]:
        return {"rows": self.rows, "index": self.index, "path": [sibling.hex() for sibling in self.path]}


def format_proof(draw: str, entry: bytes, size: int, leaves: Sequence[Leaf]) -> Mapping[str, Any]:
    """Return the public proof. `size`: number of leaves of the tree."""
    rows = {row[:32] for leaf in leaves for row in leaf.rows.splitlines()}
    return {
        "v": 1,
        "draw": draw,
        "entry": entry.hex(),
        "included": entry.hex() in rows,
        "size": size,
        "leaves": [leaf.to_document() for leaf in leaves],
    }


def check_proof(proof: Mapping[str, Any], root: str) -> bool | None:
    """Return True if the entry is on the list of that root (hex), False if not, None if the proof is invalid."""
    try:
        entry = bytes.fromhex(proof["entry"])
        leaves = [_ids(leaf, proof["size"], root) for leaf in proof["leaves"]]
        first, last = proof["leaves"][0]["index"], proof["leaves"][-1]["index"]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, InvalidRowsError):
        return None
    ids = [entry_id for leaf in leaves for entry_id in leaf]
    if entry in ids:
        return True
    adjacent = last - first == len(leaves) - 1
    below = first == 0 or ids[0] < entry
    above = last == proof["size"] - 1 or entry < ids[-1]
    return False if adjacent and below and above else None


def _ids(leaf: Mapping[str, Any], size: int, root: str) -> list[bytes]:
    """Return the ids of the leaf's entries. Raises ValueError if the leaf is not of that tree."""
    path = [bytes.fromhex(sibling) for sibling in leaf["path"]]
    reached = root_from_path(leaf["rows"].encode("ascii"), leaf["index"], size, path)
    if reached is None or reached.hex() != root:
        raise ValueError("the path does not lead to the root")
    return [entry.id for entry in read_rows(leaf["rows"])]
