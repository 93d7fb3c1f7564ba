"""Further choices and the chance for the choices above them (`docs/spec/draw-2.md` §12), by exact recomputation.

Every drawn order of a few entries is allocated, so the chances are exact fractions.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.lottery.allocation.entries import Choice, Entry
from services.lottery.allocation.reference_allocator import ReferenceAllocation, allocate_in_order
from services.lottery.rules import ClassRule, Rules
from tests.support.draw_builders import class_rule, entry

OWN = 1
"""Number of the entry whose chance is computed."""

Lists = Mapping[int, str]
"""Entry number to its classes in order, such as `ab`; each takes one seat unless a digit follows: `a2b`."""


def _choices(text: str) -> tuple[Choice, ...]:
    seats = {at - 1: int(sign) for at, sign in enumerate(text) if sign.isdigit()}
    return tuple((sign, seats.get(at, 1)) for at, sign in enumerate(text) if sign.isalpha())


def results(lists: Lists, classes: Sequence[ClassRule], max_wins: int) -> list[ReferenceAllocation]:
    """Return the result of every drawn order."""
    entries = [entry(number, *_choices(text)) for number, text in lists.items()]
    choices = {one.id: one.choices for one in entries}
    rules = Rules(max_wins, preferences=True)
    return [allocate_in_order(order, choices, classes, rules) for order in permutations(entries)]


def chance(found: Sequence[ReferenceAllocation], holds: Callable[[ReferenceAllocation], bool]) -> Fraction:
    return Fraction(sum(map(holds, found)), len(found))


def wins(name: str) -> Callable[[ReferenceAllocation], bool]:
    return lambda result: entry(OWN).id in result.winners[name]


def wins_or_waits(name: str) -> Callable[[ReferenceAllocation], bool]:
    return lambda result: entry(OWN).id in (*result.winners[name], *result.waiting[name])


def some_classes(capacities: str, hours: Sequence[int]) -> list[ClassRule]:
    return [
        class_rule(name, int(capacity), hour=hour, hours=2)
        for name, capacity, hour in zip("abcd", capacities, hours, strict=False)
    ]


texts = st.permutations("abcd").flatmap(
    lambda names: st.tuples(st.integers(1, 3), st.lists(st.sampled_from(["", "2"]), min_size=4, max_size=4)).map(
        lambda drawn: "".join(name + seats for name, seats in zip(names[: drawn[0]], drawn[1], strict=False))
    )
)


@settings(max_examples=60, deadline=None)
@given(
    st.permutations("abcd"),
    st.integers(1, 3),
    st.lists(texts, min_size=3, max_size=3),
    st.tuples(*[st.sampled_from("123")] * 4).map("".join),
    st.lists(st.sampled_from([10, 11, 12, 14]), min_size=4, max_size=4),
    st.integers(1, 3),
)
def test_own_further_choice_changes_nothing_for_the_choices_above_it(
    names: Sequence[str], length: int, others: Sequence[str], capacities: str, hours: Sequence[int], max_wins: int
):
    """Compare order by order: the same higher classes are won, and waiting ends only for a class won below."""
    own, further = "".join(names[:length]), "".join(names[: length + 1])
    classes, lists = some_classes(capacities, hours), dict(enumerate(others, OWN + 1))
    before = results({OWN: own, **lists}, classes, max_wins)
    after = results({OWN: further, **lists}, classes, max_wins)
    for one, other in zip(before, after, strict=True):
        assert [wins(name)(one) for name in own] == [wins(name)(other) for name in own]
        if not wins(further[-1])(other):
            assert [one.waiting[name] for name in own] == [other.waiting[name] for name in own]


def test_class_won_below_ends_the_waiting_for_one_above():
    classes = some_classes("11", [10, 10])
    before, after = results({OWN: "a", 2: "a"}, classes, 1), results({OWN: "ab", 2: "a"}, classes, 1)
    assert (chance(before, wins("a")), chance(after, wins("a"))) == (Fraction(1, 2), Fraction(1, 2))
    assert (chance(before, wins_or_waits("a")), chance(after, wins_or_waits("a"))) == (1, Fraction(1, 2))


def test_two_classes_at_different_times_keep_the_waiting_where_two_may_be_won():
    classes = some_classes("11", [10, 14])
    assert chance(results({OWN: "ab", 2: "a"}, classes, 2), wins_or_waits("a")) == 1
    assert chance(results({OWN: "ab", 2: "a"}, some_classes("11", [10, 11]), 2), wins_or_waits("a")) == Fraction(1, 2)


def test_further_choice_of_another_applicant_takes_part_where_the_first_one_is_full():
    classes = some_classes("111", [10, 10, 10])
    assert chance(results({OWN: "a", 2: "c", 3: "c"}, classes, 1), wins("a")) == 1
    assert chance(results({OWN: "a", 2: "ca", 3: "c"}, classes, 1), wins("a")) == Fraction(5, 6)


def test_further_choice_of_another_applicant_may_push_a_third_into_the_class():
    classes = some_classes("1111", [10, 10, 10, 10])
    assert chance(results({OWN: "a", 2: "ba", 3: "c", 4: "c"}, classes, 1), wins("a")) == 1
    assert chance(results({OWN: "a", 2: "ba", 3: "cb", 4: "c"}, classes, 1), wins("a")) == Fraction(23, 24)


def test_each_choice_lowers_the_chance_of_the_others_in_a_draw_without_preferences():
    """Both orders of the two choices are equally likely, because K decides each by itself."""
    classes, one = some_classes("11", [10, 10]), Entry(entry(OWN).id, (("a", 1), ("b", 1)))
    both = [
        allocate_in_order([one], {one.id: order}, classes, Rules(1, preferences=False))
        for order in permutations(one.choices)
    ]
    assert chance(both, wins("a")) == Fraction(1, 2)
