"""The form warns exactly where the draw bars a class: of times that overlap, and of more classes than one can win."""

from itertools import combinations
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.rules import ClassRule, Rules
from tests.support.node_programs import Ask
from tests.unit.web.test_applications import CAMPAIGN, rules

IDS = [each.id for each in CAMPAIGN.classes]
SEATS = {each.id: each.seats[0] for each in CAMPAIGN.classes}


def conflicts(ask: Ask, chosen: list[str], max_wins: int) -> dict[str, Any]:
    choices = [{"class": name, "seats": SEATS[name]} for name in chosen]
    answer: dict[str, Any] = ask("conflicts", {"rules": rules() | {"max_wins": max_wins}, "choices": choices})
    return answer


def won_alone(chosen: list[str], max_wins: int) -> set[str]:
    """Return what one entry wins that is alone in the draw and asks for these classes."""
    classes = [ClassRule(each.id, each.capacity, each.starts, each.ends, each.waiting) for each in CAMPAIGN.classes]
    entry = Entry(bytes(16), tuple((name, SEATS[name]) for name in chosen))
    winners = allocate_entry_by_entry(bytes(32), [entry], classes, Rules(max_wins=max_wins, preferences=True)).winners
    return {name for name, ids in winners.items() if ids}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.sampled_from(IDS), min_size=1, unique=True), max_wins=st.integers(1, 4))
def test_choices_without_a_warning_can_all_be_won_and_those_with_one_cannot(ask: Ask, chosen: list[str], max_wins: int):
    found = conflicts(ask, chosen, max_wins)
    clear = not found["overlapping"] and not found["tooMany"]
    assert (won_alone(chosen, max_wins) == set(chosen)) is clear


def test_the_pairs_that_overlap_are_named_in_the_order_of_choice(ask: Ask):
    assert conflicts(ask, ["parent-child-food", "junior-football"], 2) == {
        "overlapping": [["parent-child-food", "junior-football"]],
        "tooMany": False,
    }
    every = conflicts(ask, IDS, len(IDS))["overlapping"]
    assert [list(pair) for pair in combinations(IDS, 2) if won_alone(list(pair), 2) != set(pair)] == every
