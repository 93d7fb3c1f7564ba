"""Allocation against a slow second opinion, and the properties that no draw may break."""

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lottery.allocation import allocator
from services.lottery.allocation.entries import Entry
from services.lottery.allocation.reference_allocator import ReferenceAllocation, allocate_entry_by_entry
from services.lottery.allocation.tickets import tickets
from services.lottery.rules import ClassRule, Rules
from tests.support.draw_builders import allocated, class_rule, entry

KEY = hashlib.sha256(b"key").digest()
NAMES = ("a", "b", "c", "d")


@st.composite
def campaigns(draw: st.DrawFn) -> tuple[list[Entry], list[ClassRule], Rules, bytes]:
    """Return few seats with many choices, pairs and overlaps: cases in which mistakes would show."""
    classes = [
        class_rule(name, draw(st.integers(1, 6)), hour=draw(st.integers(9, 12)), hours=draw(st.integers(1, 3)),
                   waiting=draw(st.integers(0, 4)))
        for name in NAMES[: draw(st.integers(1, 4))]
    ]  # fmt: skip
    choice = st.tuples(st.sampled_from([each.id for each in classes]), st.integers(1, 3))
    choice_lists = st.lists(st.lists(choice, min_size=1, max_size=4, unique_by=lambda each: each[0]), max_size=25)
    entries = [entry(number, *choices) for number, choices in enumerate(draw(choice_lists))]
    rules = Rules(max_wins=draw(st.integers(1, 3)), preferences=draw(st.booleans()))
    return entries, classes, rules, draw(st.binary(min_size=32, max_size=32))


def slow_winners(entries: list[Entry], classes: list[ClassRule], rules: Rules, key: bytes) -> dict[str, list[bytes]]:
    """docs/protocols.md §2 word by word, without any shortcut."""
    by_name = {each.id: each for each in classes}
    winners: dict[str, list[bytes]] = {each.id: [] for each in classes}
    seats_of = {each.id: dict(each.choices) for each in entries}
    order = sorted(entries, key=lambda each: int.from_bytes(tickets(key, each.id), "big"))
    for number in range(1, rules.max_wins + 1):
        for each in order if number % 2 == 1 else order[::-1]:
            choices = list(each.choices)
            if not rules.preferences:
                choices.sort(key=lambda c: tickets(hashlib.sha256(key + c[0].encode()).digest(), each.id))
            for name, seats in choices:
                held = [other for other in winners if each.id in winners[other]]
                left = by_name[name].capacity - sum(seats_of[won][name] for won in winners[name])
                clash = any(
                    by_name[name].starts < by_name[other].ends and by_name[other].starts < by_name[name].ends
                    for other in held
                )
                if name not in held and left >= seats and not clash:
                    winners[name].append(each.id)
                    break
    return winners


@settings(max_examples=300, deadline=None)
@given(campaigns())
def test_a_slow_second_opinion_agrees(campaign: tuple[list[Entry], list[ClassRule], Rules, bytes]):
    entries, classes, rules, key = campaign
    result = allocated(key, entries, classes, rules)
    assert {name: list(ids) for name, ids in result.winners.items()} == slow_winners(entries, classes, rules, key)


@settings(max_examples=300, deadline=None)
@given(campaigns())
def test_the_verifiers_allocator_agrees_in_everything(campaign: tuple[list[Entry], list[ClassRule], Rules, bytes]):
    entries, classes, rules, key = campaign
    assert allocated(key, entries, classes, rules) == allocate_entry_by_entry(key, entries, classes, rules)


@settings(max_examples=200, deadline=None)
@given(campaigns(), st.data())
def test_places_held_before_a_further_round_count_for_both_allocators(
    campaign: tuple[list[Entry], list[ClassRule], Rules, bytes], data: st.DataObject
):
    entries, classes, rules, key = campaign
    names = st.frozensets(st.sampled_from([each.id for each in classes]), max_size=rules.max_wins)
    held = {each.id: frozenset(data.draw(names) - dict(each.choices).keys()) for each in entries}
    result = allocated(key, entries, classes, rules, held)
    assert result == allocate_entry_by_entry(key, entries, classes, rules, held=held)
    of = {each.id: each for each in classes}
    for each in entries:
        won = {name for name, ids in result.winners.items() if each.id in ids}
        assert not won & held[each.id]
        assert not won or len(won | held[each.id]) <= rules.max_wins
        assert not any(
            of[one].starts < of[other].ends and of[other].starts < of[one].ends
            for one in won
            for other in (won | held[each.id]) - {one}
        )


@settings(max_examples=300, deadline=None)
@given(campaigns(), st.integers(1, 5), st.integers(5, 9))
def test_it_does_not_matter_in_how_long_runs_entries_are_served(
    campaign: tuple[list[Entry], list[ClassRule], Rules, bytes], first: int, longest: int
):
    """Split the entries into runs, as in a draw of millions."""
    entries, classes, rules, key = campaign
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(allocator, "_FIRST_RUN", first)
        patched.setattr(allocator, "_LONGEST_RUN", longest)
        result = allocated(key, entries, classes, rules)
    assert result == allocate_entry_by_entry(key, entries, classes, rules)


@settings(max_examples=300, deadline=None)
@given(campaigns())
def test_every_choice_ends_in_exactly_one_way(campaign: tuple[list[Entry], list[ClassRule], Rules, bytes]):
    entries, classes, rules, key = campaign
    result = allocated(key, entries, classes, rules)
    for each in entries:
        for name, _ in each.choices:
            ways = [
                each.id in result.winners[name],
                each.id in result.waiting[name],
                name in result.lost.get(each.id, {}),
            ]
            assert sum(ways) == 1


@settings(max_examples=300, deadline=None)
@given(campaigns())
def test_no_rule_is_ever_broken(campaign: tuple[list[Entry], list[ClassRule], Rules, bytes]):
    entries, classes, rules, key = campaign
    result = allocated(key, entries, classes, rules)
    wanted = {each.id: dict(each.choices) for each in entries}
    for rule in classes:
        assert sum(wanted[won][rule.id] for won in result.winners[rule.id]) <= rule.capacity
        assert len(result.waiting[rule.id]) <= rule.waiting
    for each in entries:
        held = [rule for rule in classes if each.id in result.winners[rule.id]]
        assert len(held) <= rules.max_wins
        assert all(
            one is other or one.ends <= other.starts or other.ends <= one.starts for one in held for other in held
        )


@settings(max_examples=100, deadline=None)
@given(campaigns(), st.randoms())
def test_the_order_in_which_entries_are_given_does_not_matter(campaign, random):  # noqa: ANN001
    entries, classes, rules, key = campaign
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert allocated(key, shuffled, classes, rules) == allocated(key, entries, classes, rules)


@settings(max_examples=200, deadline=None)
@given(campaigns())
def test_nobody_waits_who_could_not_take_the_place(campaign: tuple[list[Entry], list[ClassRule], Rules, bytes]):
    entries, classes, rules, key = campaign
    result = allocated(key, entries, classes, rules)
    for rule in classes:
        for waiting in result.waiting[rule.id]:
            held = [other for other in classes if waiting in result.winners[other.id]]
            assert len(held) < rules.max_wins
            assert all(rule.ends <= other.starts or other.ends <= rule.starts for other in held)
        tickets_of = [tickets(key, waiting) for waiting in result.waiting[rule.id]]
        assert tickets_of == sorted(tickets_of)


def by_ticket(*numbers: int) -> list[int]:
    return sorted(numbers, key=lambda number: tickets(KEY, number.to_bytes(16, "big")))


def drawn(entries: list[Entry], classes: list[ClassRule], **rules: int) -> ReferenceAllocation:
    return allocated(KEY, entries, classes, Rules(rules.get("max_wins", 1), preferences=True))


def test_the_lowest_ticket_gets_its_first_choice():
    first, second = by_ticket(1, 2)
    result = drawn([entry(n, ("a", 1), ("b", 1)) for n in (1, 2)], [class_rule("a", 1), class_rule("b", 1)])
    assert result.winners == {"a": (first.to_bytes(16, "big"),), "b": (second.to_bytes(16, "big"),)}


def test_a_pair_that_does_not_fit_is_passed_over_and_waits():
    first, second, third = by_ticket(1, 2, 3)
    entries = [entry(first, ("a", 2)), entry(second, ("a", 2)), entry(third, ("a", 1))]
    result = drawn(entries, [class_rule("a", 3)])
    assert result.winners["a"] == (first.to_bytes(16, "big"), third.to_bytes(16, "big"))
    assert result.waiting["a"] == (second.to_bytes(16, "big"),)


def test_the_second_round_goes_backwards():
    first, second = by_ticket(1, 2)
    classes = [class_rule("a", 2, hour=9), class_rule("b", 1, hour=12)]
    result = drawn([entry(n, ("a", 1), ("b", 1)) for n in (1, 2)], classes, max_wins=2)
    assert result.winners["b"] == (second.to_bytes(16, "big"),)
    assert result.waiting["b"] == (first.to_bytes(16, "big"),)


@pytest.mark.parametrize(("max_wins", "reason"), [(1, "limit"), (2, "clash")])
def test_a_refused_choice_names_its_reason(max_wins: int, reason: str):
    classes = [class_rule("a", 1, hour=9, hours=2), class_rule("b", 0 + 1, hour=10)]
    result = drawn([entry(1, ("a", 1), ("b", 1))], classes, max_wins=max_wins)
    assert result.lost[(1).to_bytes(16, "big")] == {"b": reason}


def test_classes_that_only_touch_do_not_clash():
    one = class_rule("a", 1, hour=9)
    other = ClassRule("b", 1, one.ends, one.ends + timedelta(hours=1), 0)
    result = drawn([entry(1, ("a", 1), ("b", 1))], [one, other], max_wins=2)
    assert not result.lost


def test_nobody_applied():
    assert drawn([], [class_rule("a", 1)]).winners == {"a": ()}
