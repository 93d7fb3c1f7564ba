"""Growing Merkle tree (RFC 6962 §2.1) and consistency proofs (RFC 6962 §2.1.2, RFC 9162 §2.1.4). Pure."""

from collections.abc import Iterable, Sequence

from shared.merkle import leaf_hash, node_hash, root


class Frontier:
    """Growing tree of which only the roots of its complete subtrees are kept: O(log n) memory and time per leaf."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError("a tree of this size has another number of complete subtrees")

    def append(self, leaf: bytes) -> None:
        """Append the hash of a leaf."""
        size, node = self.size, leaf
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def append_text(self, line: str) -> bytes:
        """Append a line of text, without its LF, as a leaf. Return its hash."""
        leaf = leaf_hash(line.encode("utf-8"))
        self.append(leaf)
        return leaf

    def root(self) -> bytes:
        """Return the root, 32 bytes; SHA-256 of nothing for an empty tree."""
        if not self.peaks:
            return root([])
        *larger, node = self.peaks
        for peak in reversed(larger):
            node = node_hash(peak, node)
        return node

    def copy(self) -> "Frontier":
        """Return an independent copy."""
        return Frontier(self.size, self.peaks)


def prove_consistency(old: Frontier, added: Sequence[bytes]) -> list[bytes]:
    """Return the proof that the tree of `old` and the leaves `added` after it extends `old`; empty for no old leaf."""
    size = old.size + len(added)
    if old.size in {0, size}:
        return []
    return _subproof(old.size, 0, size, _Subtrees(old, added), is_whole=True)


def is_consistent(old_size: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check a proof (RFC 9162 §2.1.4.2) that the tree of `size` leaves extends the one of `old_size` leaves."""
    if old_size == 0 or old_size >= size:
        return not proof and (old_size == 0 or (old_size == size and old_root == new_root))
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not nodes:
        return False
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not first & 1 and first != 0:
                first, last = first >> 1, last >> 1
        else:
            new = node_hash(new, node)
        first, last = first >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


class _Subtrees:
    """Roots of the ranges that a proof names: complete subtrees of the old tree, and ranges of new leaves."""

    def __init__(self, old: Frontier, added: Sequence[bytes]) -> None:
        self._added, self._old_size = added, old.size
        self._peaks: dict[tuple[int, int], bytes] = {}
        start, bits = 0, [1 << bit for bit in range(old.size.bit_length()) if old.size >> bit & 1]
        for width, peak in zip(reversed(bits), old.peaks, strict=True):
            self._peaks[start, start + width] = peak
            start += width

    def root(self, start: int, end: int) -> bytes:
        if (start, end) in self._peaks:
            return self._peaks[start, end]
        return root(self._added[start - self._old_size : end - self._old_size])


def _subproof(old: int, start: int, end: int, subtrees: _Subtrees, *, is_whole: bool) -> list[bytes]:
    """Return SUBPROOF of RFC 6962 §2.1.2 for the leaves from `start` to `end`, of which `old` are in the old tree."""
    if old == end - start:
        return [] if is_whole else [subtrees.root(start, end)]
    split = start + (1 << (end - start - 1).bit_length() - 1)
    if start + old <= split:
        return [*_subproof(old, start, split, subtrees, is_whole=is_whole), subtrees.root(split, end)]
    right = _subproof(old - (split - start), split, end, subtrees, is_whole=False)
    return [*right, subtrees.root(start, split)]
