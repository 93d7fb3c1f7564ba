"""Odds by group size: what the draw itself gives, group by group, before anybody has applied."""

from hashlib import sha256
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.rules import Rules
from shared.odds import FEW_SEATS, Demand, assumed, odds
from tests.support.draw_builders import allocated, class_rule, entry

SMALL = st.dictionaries(st.integers(1, 4), st.integers(1, 3), min_size=1, max_size=3)


def counted(capacity: int, demand: Demand) -> dict[int, float]:
    """Compute the odds by brute force: try every order of the groups and take each group where it fits."""
    groups = [size for size, count in demand.groups.items() for _ in range(count)]
    won, orders = dict.fromkeys(demand.groups, 0), 0
    for order in permutations(range(len(groups))):
        orders, left = orders + 1, capacity
        for at in order:
            if groups[at] <= left:
                left -= groups[at]
                won[groups[at]] += 1
    return {size: won[size] / orders / count for size, count in demand.groups.items()}


@pytest.mark.parametrize(
    ("capacity", "groups"), [(5, {1: 3, 2: 3}), (7, {2: 3, 3: 3}), (3, {1: 1, 4: 2}), (6, {1: 2, 2: 2, 3: 2})]
)
def test_odds_are_those_of_counting_every_order(capacity: int, groups: dict[int, int]):
    assert odds(capacity, Demand(groups)) == pytest.approx(counted(capacity, Demand(groups)))


def test_the_draw_itself_gives_these_odds():
    demand, draws, capacity = Demand({1: 8, 2: 8, 4: 4}), 1500, 9
    sizes = [size for size, count in demand.groups.items() for _ in range(count)]
    entries = [entry(number + 1, ("a", size)) for number, size in enumerate(sizes)]
    won = dict.fromkeys(demand.groups, 0)
    for number in range(draws):
        result = allocated(
            sha256(b"%d" % number).digest(), entries, [class_rule("a", capacity)], Rules(1, preferences=True)
        )
        for winner in result.winners["a"]:
            won[sizes[int.from_bytes(winner, "big") - 1]] += 1
    seen = {size: won[size] / draws / count for size, count in demand.groups.items()}
    assert seen == pytest.approx(odds(capacity, demand), abs=0.025)


@given(st.integers(1, 12), SMALL)
def test_a_larger_group_never_has_better_odds_and_no_seat_is_given_twice(capacity: int, groups: dict[int, int]):
    found = odds(capacity, Demand(groups))
    by_size = [found[size] for size in sorted(found)]
    assert all(0 <= each <= 1 + 1e-9 for each in by_size)
    assert all(larger <= smaller + 1e-9 for smaller, larger in pairwise(by_size))
    assert sum(found[size] * size * count for size, count in groups.items()) <= capacity + 1e-9


def test_with_one_size_only_the_odds_are_places_by_groups():
    assert odds(10, Demand({1: 50})) == {1: pytest.approx(0.2)}
    assert odds(11, Demand({2: 50})) == {2: pytest.approx(0.1)}
    assert odds(10, Demand({1: 4})) == {1: pytest.approx(1)}
    assert odds(1, Demand({2: 4, 3: 0})) == {2: 0.0}


def test_an_assumed_demand_asks_for_so_many_times_the_seats_in_equal_numbers_of_groups():
    assert assumed(10, (1,), 5).groups == {1: 50}
    assert assumed(18, (1, 2), 3).groups == {1: 18, 2: 18}
    assert assumed(18, (1, 2), 3).seats == 54
    assert assumed(1, (1, 2, 3, 4), 1).groups == {1: 1, 2: 1, 3: 1, 4: 1}


def test_many_sizes_and_a_great_demand_are_still_exact_and_quick():
    found = odds(FEW_SEATS - 1, assumed(FEW_SEATS - 1, (1, 2, 3, 4, 5, 6), 10))
    seats = sum(found[size] * size * count for size, count in assumed(29, (1, 2, 3, 4, 5, 6), 10).groups.items())
    assert seats == pytest.approx(29, abs=0.01)
