"""Seats are given out fairly as far as numbers can tell; ways that are not are caught, each by a statistic with a name.

A draw may rank right and still give out wrong (Washington state's hunting draw of 2024 did). What is said here is said
of who won, by exact counting or in standard deviations.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations

import numpy as np
import pytest

from services.lottery.allocation.allocator import allocate
from services.lottery.allocation.entries import Choice, Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.allocation.tickets import tickets
from services.lottery.rules import ClassRule, Rules
from tests.support.draw_builders import class_rule, entry
from tests.support.draw_statistics import TOO_FAR, chi_square, key

pytestmark = pytest.mark.slow

Won = Mapping[str, Sequence[bytes]]
Giving = Callable[[bytes, Sequence[Entry], Sequence[ClassRule], Rules], Won]
"""K, entries by id, classes, rules to winners by class."""

IMPOSSIBLE = 1e9
BY_CHANCE = Rules(1, preferences=False)


def fair(secret: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], rules: Rules) -> Won:
    frozen = FrozenList.of(entries)
    result = allocate(secret, frozen, classes, rules)
    return {name: [frozen.id(int(at)) for at in won] for name, won in result.winners.items()}


def outcomes_by_size(give: Giving) -> float:
    """Groups of 3, 2, 2, 1 and 1 for 4 places: each outcome as often as the 120 orders lead to it, and no other."""
    sizes, draws = (3, 2, 2, 1, 1), 2400
    entries = [entry(at, ("a", size)) for at, size in enumerate(sizes)]
    ways = Counter(_fitting(order, sizes, 4) for order in permutations(range(5)))
    seen = Counter(frozenset(give(key(n), entries, [class_rule("a", 4)], BY_CHANCE)["a"]) for n in range(draws))
    if not seen.keys() <= ways.keys():
        return IMPOSSIBLE
    expected = np.array([ways[each] * draws / 120 for each in ways])
    return chi_square(np.array([seen[each] for each in ways]), expected, len(ways) - 1)


def _fitting(order: Iterable[int], sizes: Sequence[int], places: int) -> frozenset[bytes]:
    won = []
    for at in order:
        if sizes[at] <= places:
            places -= sizes[at]
            won.append(at.to_bytes(16, "big"))
    return frozenset(won)


def wins_by_place_in_the_list(give: Giving) -> float:
    """Compare the wins of entries early in the frozen list (sorted by id) with those of late entries."""
    count, parts, keys, places = 320, 16, 400, 16
    entries, won = [entry(at, ("a", 1)) for at in range(count)], np.zeros(parts, np.int64)
    for number in range(keys):
        ids = give(key(number), entries, [class_rule("a", places)], BY_CHANCE)["a"]
        won += np.bincount([int.from_bytes(each, "big") * parts // count for each in ids], minlength=parts)
    return chi_square(won, keys * places / parts, parts - 1)


def wins_by_written_order(give: Giving) -> float:
    """Check that, without preferences, the order of an entry's choices does not change its chance."""
    count, places, keys = 200, 30, 150
    classes = [class_rule("a", places), class_rule("b", places)]
    lists: list[list[Choice]] = [[("a", 1), ("b", 1)], [("b", 1), ("a", 1)]]
    entries, ahead = [entry(at, *lists[at % 2]) for at in range(count)], 0
    for number in range(keys):
        ids = give(key(number), entries, classes, BY_CHANCE)["a"]
        ahead += sum(1 if each[-1] % 2 == 0 else -1 for each in ids)
    return ahead / (keys * places) ** 0.5


def class_that_is_tried_first(give: Giving) -> float:
    """Where there is room for all, each class is somebody's equally often, whatever it is called."""
    names, count, keys = ("a", "b", "c"), 1500, 12
    classes = [class_rule(name, count) for name in names]
    entries, won = [entry(at, *((name, 1) for name in names)) for at in range(count)], np.zeros(3, np.int64)
    for number in range(keys):
        given = give(key(number), entries, classes, BY_CHANCE)
        won += np.array([len(given[name]) for name in names])
    return chi_square(won, keys * count / len(names), len(names) - 1)


STATISTICS = {
    each.__name__: each
    for each in (outcomes_by_size, wins_by_place_in_the_list, wins_by_written_order, class_that_is_tried_first)
}


@pytest.mark.parametrize("name", STATISTICS)
def test_seats_are_given_out_fairly_by(name: str):
    assert abs(STATISTICS[name](fair)) < TOO_FAR


def one_after_the_other(ordered: Iterable[Entry], classes: Sequence[ClassRule], *, stops: bool = False) -> Won:
    """Run one round. `stops`: an entry that does not fit ends the class, so that no entry is passed over."""
    left, won = {rule.id: rule.capacity for rule in classes}, {rule.id: list[bytes]() for rule in classes}
    for each in ordered:
        for name, seats in each.choices:
            if seats <= left[name]:
                left[name] -= seats
                won[name].append(each.id)
                break
            left[name] = 0 if stops else left[name]
    return won


def drawn(secret: bytes, entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda each: tickets(secret, each.id))


def in_the_order_of_the_list(_: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], __: Rules) -> Won:
    """Ranked right, and the ranks forgotten."""
    return one_after_the_other(entries, classes)


def nobody_is_passed_over(secret: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], _: Rules) -> Won:
    return one_after_the_other(drawn(secret, entries), classes, stops=True)


def large_groups_first(secret: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], _: Rules) -> Won:
    """Fills the seats well."""
    return one_after_the_other(sorted(drawn(secret, entries), key=lambda each: -each.choices[0][1]), classes)


def as_written(secret: bytes, entries: Sequence[Entry], classes: Sequence[ClassRule], _: Rules) -> Won:
    """Takes choices for preferences where they are none."""
    return one_after_the_other(drawn(secret, entries), classes)


@pytest.mark.parametrize(
    ("broken", "statistics"),
    [
        (in_the_order_of_the_list, ("outcomes_by_size", "wins_by_place_in_the_list")),
        (nobody_is_passed_over, ("outcomes_by_size",)),
        (large_groups_first, ("outcomes_by_size",)),
        (as_written, ("wins_by_written_order", "class_that_is_tried_first")),
    ],
)
def test_seats_that_are_given_out_wrongly_are_caught_by(broken: Giving, statistics: tuple[str, ...]):
    caught = {name for name in STATISTICS if abs(STATISTICS[name](broken)) > TOO_FAR}
    assert caught >= set(statistics)


@pytest.mark.parametrize("preferences", [True, False])
def test_one_entry_more_never_helps_another_in_a_class_of_single_places(preferences: bool):  # noqa: FBT001
    """Places are for the lowest tickets: a new entry takes a place from at most one, and gives none to anybody."""
    entries, rules = [entry(at, ("a", 1)) for at in range(60)], Rules(1, preferences)
    for number in range(40):
        before = set(fair(key(number), entries, [class_rule("a", 9)], rules)["a"])
        after = set(fair(key(number), [*entries, entry(99, ("a", 1))], [class_rule("a", 9)], rules)["a"])
        assert len(before - after) <= 1
        assert after - before <= {(99).to_bytes(16, "big")}
