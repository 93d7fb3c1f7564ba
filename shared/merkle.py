"""Merkle trees of RFC 6962 §2.1 with SHA-256: one hash for a whole list, and short proofs about parts of it. Pure."""

import hashlib
from collections.abc import Sequence


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Compute the root (32 bytes) from the hashes of the leaves; SHA-256 of nothing for an empty list."""
    return _root(hashes) if hashes else hashlib.sha256(b"").digest()


def path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf `index` (from 0), nearest sibling first. `hashes`: of all leaves."""
    if len(hashes) == 1:
        return []
    at = _split(len(hashes))
    if index < at:
        return [*path(hashes[:at], index), _root(hashes[at:])]
    return [*path(hashes[at:], index - at), _root(hashes[:at])]


def root_from_path(leaf: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """Compute the root from `leaf` at `index` of `size` (RFC 9162 §2.1.3.2); None for a path of wrong length."""
    if not 0 <= index < size:
        return None
    position, last, digest = index, size - 1, leaf_hash(leaf)
    for sibling in siblings:
        if last == 0:
            return None
        if position % 2 == 1 or position == last:
            digest = node_hash(sibling, digest)
            while position % 2 == 0 and position != 0:
                position, last = position // 2, last // 2
        else:
            digest = node_hash(digest, sibling)
        position, last = position // 2, last // 2
    return digest if last == 0 else None


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    at = _split(len(hashes))
    return node_hash(_root(hashes[:at]), _root(hashes[at:]))
