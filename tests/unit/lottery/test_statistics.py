"""The draw is fair as far as numbers can tell, and draws that are not are caught, each by a statistic with a name."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lottery.allocation.tickets import DrawnOrder, tickets
from tests.support.draw_statistics import STATISTICS, TOO_FAR, Drawing, Order, arrivals, key, places

pytestmark = pytest.mark.slow

MILLION = 1_000_000
KS_LIMIT = 2.0
"""√n·D beyond which a million numbers are not evenly spread (Kolmogorov: once in 1,500)."""


def fair(secret: bytes, ids: bytes) -> Order:
    return DrawnOrder(secret, ids).run(0, len(ids) // 16).astype(np.intp)


def upper_halves(secret: bytes, ids: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(tickets(secret, ids), dtype=">u8").reshape(-1, 2)[:, 0].astype(np.uint64)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_draw_is_fair_by(name: str):
    assert abs(STATISTICS[name](fair)) < TOO_FAR


def test_a_million_tickets_are_evenly_spread():
    drawn = np.sort(upper_halves(key(7), arrivals(MILLION)).astype(np.float64) / 2.0**64)
    steps = np.arange(MILLION + 1) / MILLION
    distance = max(np.max(steps[1:] - drawn), np.max(drawn - steps[:-1]))
    assert distance * MILLION**0.5 < KS_LIMIT


def test_a_million_tickets_are_all_different():
    drawn = np.frombuffer(tickets(key(8), arrivals(MILLION)), dtype="V16")
    assert len(np.unique(drawn)) == MILLION


def naive_shuffle(secret: bytes, ids: bytes) -> Order:
    """Each entry is swapped with any other: n to the n ways for n! orders."""
    chance = random.Random(secret)  # noqa: S311  (what is tried here is known to be wrong)
    order = list(range(len(ids) // 16))
    for at in range(len(order)):
        other = chance.randrange(len(order))
        order[at], order[other] = order[other], order[at]
    return np.array(order)


def one_byte_modulo(secret: bytes, ids: bytes) -> Order:
    """Fisher and Yates, but with a byte modulo what is left: 256 is seldom a multiple of that."""
    chance = random.Random(secret)  # noqa: S311
    order = list(range(len(ids) // 16))
    for at in range(len(order) - 1, 0, -1):
        other = chance.getrandbits(8) % (at + 1)
        order[at], order[other] = order[other], order[at]
    return np.array(order)


def early_bonus(secret: bytes, ids: bytes) -> Order:
    """Give the first quarter of the entries tickets that are 3 % lower."""
    drawn = upper_halves(secret, ids).astype(np.float64)
    drawn[: len(drawn) // 4] *= 0.97
    return np.argsort(drawn, kind="stable")


def short_tickets(secret: bytes, ids: bytes) -> Order:
    """16 bits are enough for nobody: ties, and whoever came first goes first."""
    return np.argsort(upper_halves(secret, ids) >> np.uint64(48), kind="stable")


def stable_ties(secret: bytes, ids: bytes) -> Order:
    """Sort by one byte of the ticket; entries with the same byte keep their order of arrival."""
    return np.argsort(upper_halves(secret, ids) >> np.uint64(56), kind="stable")


@pytest.mark.parametrize(
    ("broken", "statistics"),
    [
        (naive_shuffle, ("all_orders", "entry_by_place", "winners_by_day")),
        (one_byte_modulo, ("place_against_arrival", "winners_by_day")),
        (early_bonus, ("entry_by_place", "place_against_arrival")),
        (short_tickets, ("ascents",)),
        (stable_ties, ("ascents",)),
    ],
)
def test_a_draw_that_is_broken_is_caught_by(broken: Drawing, statistics: tuple[str, ...]):
    assert {name: abs(STATISTICS[name](broken)) > TOO_FAR for name in statistics} == dict.fromkeys(statistics, True)


def test_short_tickets_are_not_all_different():
    drawn = upper_halves(key(8), arrivals(MILLION)) >> np.uint64(48)
    assert len(np.unique(drawn)) < MILLION


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_one_entry_more_changes_no_relative_order(count: int):
    ids = arrivals(500)
    before, after = places(fair(key(3), ids)), places(fair(key(3), ids + arrivals(count, seed=9)))
    assert np.array_equal(np.argsort(before), np.argsort(after[: len(before)]))
