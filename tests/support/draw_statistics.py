"""Test by statistics that a way of drawing could be fair.

A drawing takes a key and entries in the order of their ids, which is the order in which they arrived (UUID version 7
begins with the time), and gives each a ticket; the lowest goes first. Keys are fixed, so each verdict is always the
same. A deviation is given in standard deviations; chi-square by Wilson and Hilferty (1931).
"""

import hashlib
from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.intp]
Drawing = Callable[[bytes, bytes], Order]
"""Key and ids (16 bytes each) to positions, the first drawn first."""

TOO_FAR = 4.5
"""Beyond this a fair draw is met once in 150,000 statistics."""


def key(number: int) -> bytes:
    return hashlib.sha256(f"key {number}".encode()).digest()


def arrivals(count: int, seed: int = 1) -> bytes:
    """Return ids as applicants' devices make them: increasing with time, the rest random."""
    random = np.random.default_rng(seed)
    ids = random.integers(0, 256, (count, 16), np.uint8)
    ids[:, :6] = (np.arange(count, dtype=">u8") + (1 << 40)).view(np.uint8).reshape(-1, 8)[:, 2:]
    return ids.tobytes()


def chi_square(observed: NDArray[np.int64], expected: float | NDArray[np.float64], free: int) -> float:
    """Return the deviation of counts from those expected; negative if they are closer than randomness allows."""
    statistic = float(((observed - expected) ** 2 / expected).sum())
    spread = 2 / (9 * free)
    return float(((statistic / free) ** (1 / 3) - (1 - spread)) / spread**0.5)


def places(order: Order) -> NDArray[np.intp]:
    """Return the rank of each entry, from 0."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


def entry_by_place(draw: Drawing) -> float:
    """Test that each entry gets each rank equally often."""
    size, draws = 30, 6000
    ids, counts = arrivals(size), np.zeros((size, size), np.int64)
    for number in range(draws):
        counts[draw(key(number), ids), np.arange(size)] += 1
    return chi_square(counts, draws / size, (size - 1) ** 2)


def all_orders(draw: Drawing) -> float:
    """Test that the 120 orders of five entries are equally likely."""
    draws, ids = 12_000, arrivals(5)
    numbers = {order: at for at, order in enumerate(permutations(range(5)))}
    seen = [numbers[tuple(draw(key(number), ids).tolist())] for number in range(draws)]
    return chi_square(np.bincount(seen, minlength=120), draws / 120, 119)


def winners_by_day(draw: Drawing) -> float:
    """Test that winners come from fourteen days alike. (In the void 2011 draw for US visas, most applied on two.)"""
    count, days, keys = 28_000, 14, 100
    ids, winners = arrivals(count), np.zeros(days, np.int64)
    for number in range(keys):
        first = draw(key(number), ids)[: count // 40]
        winners += np.bincount(first * days // count, minlength=days)
    taken = keys * (count // 40) / days
    return chi_square(winners, taken, days - 1)


def place_against_arrival(draw: Drawing) -> float:
    """Test that early entries are drawn neither early nor late. (In the 1970 draft lottery late birthdays were.)"""
    count, keys = 20_000, 12
    ids, total = arrivals(count), 0.0
    for number in range(keys):
        total += _correlation(places(draw(key(number), ids)), np.arange(count))
    return total / keys**0.5


def ascents(draw: Drawing) -> float:
    """Test that of two entries drawn in a row either came first: half of n - 1 pairs, variance (n + 1) / 12."""
    count = 20_000
    order = draw(key(1), arrivals(count))
    rising = int((np.diff(order) > 0).sum())
    return (rising - (count - 1) / 2) / ((count + 1) / 12) ** 0.5


def gaps_of_neighbours(draw: Drawing) -> float:
    """Test that entries that arrived together are (n + 1) / 3 ranks apart on average, as any two."""
    count, keys = 20_000, 10
    ids, total = arrivals(count), 0.0
    for number in range(keys):
        gaps = np.abs(np.diff(places(draw(key(number), ids))))
        total += (gaps.mean() - (count + 1) / 3) / (count / 18**0.5 / count**0.5)
    return total / keys**0.5


def across_keys(draw: Drawing) -> float:
    """Test that ranks under one key do not depend on those under another."""
    ids, total = arrivals(20_000), 0.0
    placed = [places(draw(key(number), ids)) for number in range(9)]
    for one, other in pairwise(placed):
        total += _correlation(one, other)
    return total / 8**0.5


def across_classes(draw: Drawing) -> float:
    """Test the same for the keys of two classes, SHA-256(K ‖ class id)."""
    ids, total = arrivals(20_000), 0.0
    for number in range(8):
        one, other = (hashlib.sha256(key(number) + name).digest() for name in (b"junior-football", b"press-kids"))
        total += _correlation(places(draw(one, ids)), places(draw(other, ids)))
    return total / 8**0.5


def outcomes_missing(draw: Drawing) -> float:
    """Test that any three of seven can win: count the 35 outcomes missing in 700 draws (2 of 10⁷ for each)."""
    ids = arrivals(7)
    seen = {frozenset(draw(key(number), ids)[:3].tolist()) for number in range(700)}
    return TOO_FAR * 2 * (35 - len(seen))


def _correlation(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    """Return Spearman's correlation, in standard deviations."""
    return float(np.corrcoef(one, other)[0, 1] * (len(one) - 1) ** 0.5)


STATISTICS: dict[str, Callable[[Drawing], float]] = {
    each.__name__: each
    for each in (
        entry_by_place,
        all_orders,
        winners_by_day,
        place_against_arrival,
        ascents,
        gaps_of_neighbours,
        across_keys,
        across_classes,
        outcomes_missing,
    )
}
