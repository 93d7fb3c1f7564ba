"""Demand and results by class: counted once, in the campaign's order, to one scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.statistics.rules.demand import DemandRow, OutcomeRow, chart, demand, places, results

CAPACITIES = {"small": 10, "pairs": 40, "empty": 5}
ASKED = [
    DemandRow("small", "web", 1, 30),
    DemandRow("small", "fax", 1, 5),
    DemandRow("small", "post", 3, 5),
    DemandRow("pairs", "web", 2, 10),
    DemandRow("gone", "web", 1, 99),
]


def test_entries_are_counted_by_class_and_channel_and_seats_by_group_size():
    small, pairs, empty = demand(CAPACITIES, ASKED)
    assert (small.by_channel, small.groups) == ({"web": 30, "fax": 5, "post": 5}, {1: 35, 3: 5})
    assert (small.entries, small.seats, small.times) == (40, 50, 5.0)
    assert (pairs.entries, pairs.seats, pairs.times) == (10, 20, 0.5)
    assert (empty.entries, empty.by_channel["web"], empty.odds) == (0, 0, {})


def test_only_a_class_with_few_seats_has_odds_by_group_size():
    small, pairs, _ = demand(CAPACITIES, ASKED)
    assert pairs.odds == {}
    assert small.odds[3] < small.odds[1]
    assert 35 * small.odds[1] + 3 * 5 * small.odds[3] == pytest.approx(10)


def test_bars_have_one_scale_and_show_what_goes_beyond_the_places():
    small, pairs, empty = chart(demand(CAPACITIES, ASKED))
    assert (small.places, small.filled, small.beyond) == (20, 20, 80)
    assert (pairs.places, pairs.filled, pairs.beyond) == (80, 40, 0)
    assert (empty.places, empty.filled, empty.beyond) == (10, 0, 0)
    assert chart(()) == ()


@given(
    st.lists(
        st.builds(DemandRow, st.sampled_from(["small", "pairs"]), st.just("web"), st.integers(1, 4), st.integers(1, 50))
    )
)
def test_no_entry_is_lost_and_no_bar_is_longer_than_the_chart(asked: list[DemandRow]):
    lines = demand(CAPACITIES, asked)
    assert sum(line.entries for line in lines) == sum(each.entries for each in asked)
    assert sum(line.seats for line in lines) == sum(each.entries * each.seats for each in asked)
    bars = chart(lines)
    assert max(max(bar.places, bar.filled + bar.beyond) for bar in bars) == pytest.approx(100)


def test_results_are_counted_by_class_with_the_seats_that_stay_free():
    came = [
        OutcomeRow("small", "won", 5, 6),
        OutcomeRow("small", "won", 3, 4),
        OutcomeRow("small", "lost", 30, 36, "drawn"),
        OutcomeRow("small", "lost", 2, 4, "group"),
        OutcomeRow("small", "refused", 7, 7, "grade"),
        OutcomeRow("pairs", "won", 10, 20),
    ]
    small, pairs, _ = results(CAPACITIES, came)
    assert (small.won, small.seats, small.refused, small.waiting, small.free) == (8, 10, 7, 0, 0)
    assert small.lost == {"drawn": 30, "group": 2, "limit": 0, "clash": 0}
    assert (pairs.won, pairs.seats, pairs.free) == (10, 20, 20)


def test_places_after_the_draw_count_offers_as_taken_and_what_is_gone_as_free():
    came = [OutcomeRow("small", "held", 4, 6), OutcomeRow("small", "offered", 1, 2), OutcomeRow("small", "gone", 2, 3)]
    small, pairs, _ = places(CAPACITIES, [*came, OutcomeRow("pairs", "waiting", 3, 6)])
    assert (small.held, small.offered, small.free, small.gone) == (6, 2, 2, 2)
    assert (pairs.waiting, pairs.free) == (3, 40)
