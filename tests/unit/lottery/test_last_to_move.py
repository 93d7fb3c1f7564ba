"""Count every outcome and every strategy of a small draw: a party that moves after seeing the others gains nothing.

The draw: one seat, three entries, drawn by the real allocator. The model of K: six keys, one for each order of the
entries; digits and value together choose one, so that each value leads from any digits to another key. The value is
uniform, which is all that the beacon promises. Parties want the first entry to win.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import count, permutations, product
from typing import Final

import pytest

from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.rules import Rules
from tests.support.draw_builders import class_rule, entry

ENTRIES: Final = [entry(number, ("a", 1)) for number in (1, 2, 3)]
FRIEND: Final = ENTRIES[0].id
CLASSES: Final = (class_rule("a", 1),)
DIGITS: Final = range(3)
"""Values of the digits of a witness."""


def _keys() -> Iterator[tuple[tuple[bytes, ...], bool]]:
    """Yield for each order of the entries whether the friend wins, by a key that leads to it."""
    missing = set(permutations(each.id for each in ENTRIES))
    for number in count():
        key = hashlib.sha256(str(number).encode()).digest()
        drawn = allocate_entry_by_entry(key, ENTRIES, CLASSES, Rules(1, True))
        if drawn.order in missing:
            missing.remove(drawn.order)
            yield drawn.order, drawn.winners["a"] == (FRIEND,)
        if not missing:
            return


WINS: Final = [wins for _, wins in sorted(_keys())]
VALUES: Final = range(len(WINS))


def wins(one: int, other: int, value: int) -> bool:
    """Return whether the friend wins with these digits of two witnesses and this value of the beacon."""
    return WINS[(one + 2 * other + value) % len(WINS)]


def chance(outcomes: Iterable[bool | Fraction]) -> Fraction:
    """Return the mean of outcomes that are equally likely."""
    counted = [Fraction(outcome) for outcome in outcomes]
    return sum(counted, Fraction(0)) / len(counted)


P: Final = chance(wins(*played) for played in product(DIGITS, DIGITS, VALUES))


def answers(seen: int) -> Iterator[Callable[[int], int]]:
    """Yield every way to answer each of `seen` sights with a digit."""
    for table in product(DIGITS, repeat=seen):
        yield table.__getitem__


def test_honest_draw_gives_each_of_three_entries_a_third():
    assert (len(WINS), P) == (6, Fraction(1, 3))


@pytest.mark.parametrize("others", DIGITS)
def test_witness_who_sees_the_others_digits_before_the_round_gains_nothing_by_any_strategy(others: int):
    for answer in answers(len(DIGITS)):
        assert chance(wins(one, answer(one), value) for one in DIGITS for value in VALUES) == P
        assert chance(wins(others, answer(others), value) for value in VALUES) == P


def test_all_witnesses_as_one_party_gain_nothing_before_the_round():
    for one, other in product(DIGITS, DIGITS):
        assert chance(wins(one, other, value) for value in VALUES) == P


def test_vault_or_lottery_that_holds_digits_back_before_the_round_gains_nothing_by_any_strategy():
    """Digits that are missing at the round end the draw, and the next one has a round of its own."""
    sights = list(product(DIGITS, DIGITS))
    for held_back in product((False, True), repeat=len(sights)):
        outcomes = [
            P if held else chance(wins(one, other, value) for value in VALUES)
            for (one, other), held in zip(sights, held_back, strict=True)
        ]
        assert chance(outcomes) == P


def test_dice_alone_let_the_last_witness_choose():
    """Attack a7: without a beacon, the last digits decide."""
    assert max(chance(wins(one, answer(one), 0) for one in DIGITS) for answer in answers(len(DIGITS))) == 1


def test_digits_after_the_round_let_the_last_witness_choose():
    chosen = chance(any(wins(one, other, value) for other in DIGITS) for one in DIGITS for value in VALUES)
    assert chosen > P


def test_one_person_who_may_redraw_after_the_result_has_a_second_chance():
    """Therefore a redraw needs the approval of another person, and both stay named by their roles."""
    second = chance(wins(*played) or P for played in product(DIGITS, DIGITS, VALUES))
    assert second == P + (1 - P) * P
