"""Order of the waiting list, and the check of histories."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lottery.promotion.history import chain_events, read_place_events
from services.lottery.promotion.states import TAKES_SEATS, Move, PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError, Place, PlaceEvent, Turn, WaitingLists
from services.lottery.record.transcript import is_hash_chain, make_history_event
from services.lottery.rules import PromotionRules
from tests.support.draw_builders import DAY, class_rule
from tests.support.places_model import BEFORE_IT_ALL, Town, live, random_town

HOLD = DAY - timedelta(days=5)
EARLY, LATE = HOLD - timedelta(days=1), HOLD + timedelta(hours=1)
TOWNS = st.integers(0, 2**32)


def waiting_lists(
    capacity: int, waiting: list[tuple[str, int]], *, max_wins: int = 1, rules: PromotionRules | None = None
) -> WaitingLists:
    """Class `a` with nobody in it, class `b` at the same hour, class `c` later."""
    classes = (class_rule("a", capacity), class_rule("b", 5), class_rule("c", 5, hour=15))
    made = WaitingLists({rule.id: rule for rule in classes}, max_wins, rules or PromotionRules(HOLD))
    for position, (entry, seats) in enumerate(waiting, 1):
        made.put(entry, "a", Place(seats, PlaceState.WAITING, position))
    return made


def test_freed_seats_go_to_the_head_of_the_waiting_list():
    assert waiting_lists(1, [("e1", 1), ("e2", 1)]).turn("a", EARLY) == Turn("e1", "a", 1)


def test_a_group_at_the_head_that_does_not_fit_holds_the_seats_until_the_set_time():
    here = waiting_lists(1, [("e1", 2), ("e2", 1)])
    assert here.turn("a", HOLD - timedelta(seconds=1)) is None
    assert here.turn("a", HOLD) == Turn("e2", "a", 1, past=("e1",))


def test_a_group_that_was_passed_over_keeps_its_position():
    here = waiting_lists(3, [("e1", 4), ("e2", 1), ("e3", 2)])
    here.apply(offer(here, "e2", 1, past=("e1",)))
    assert here.turn("a", LATE) == Turn("e3", "a", 2, past=("e1",))
    here.extra["a"] = 3
    assert here.turn("a", LATE) == Turn("e1", "a", 4)


def test_nobody_is_asked_while_what_they_were_offered_or_hold_would_be_too_much():
    here = waiting_lists(1, [("e1", 1), ("e2", 1)])
    here.put("e1", "c", Place(1, PlaceState.OFFERED, answer_by=LATE))
    assert here.turn("a", EARLY) == Turn("e2", "a", 1)
    assert here.impossible("e1") == []
    here.put("e1", "c", Place(1, PlaceState.HELD))
    assert here.impossible("e1") == [("a", "limit")]


def test_a_class_at_the_same_hour_is_an_obstacle_and_a_later_one_is_not():
    here = waiting_lists(1, [("e1", 1)], max_wins=2)
    here.put("e1", "c", Place(1, PlaceState.HELD))
    assert here.turn("a", EARLY) == Turn("e1", "a", 1)
    here.put("e1", "b", Place(1, PlaceState.HELD))
    here.put("e1", "c", Place(1, PlaceState.GONE))
    assert here.turn("a", EARLY) is None
    assert here.impossible("e1") == [("a", "clash")]


def test_an_offer_ends_with_its_hours_or_with_the_last_time_to_answer():
    rule = class_rule("a", 1)
    rules = PromotionRules(None, 72, DAY - timedelta(days=1))
    assert rules.answer_by(rule, DAY - timedelta(days=9)) == DAY - timedelta(days=6)
    assert rules.answer_by(rule, DAY - timedelta(days=2)) == DAY - timedelta(days=1)
    assert waiting_lists(1, [("e1", 1)], rules=rules).turn("a", DAY - timedelta(days=1)) is None


def test_on_the_day_whoever_is_present_takes_free_seats_in_order_of_those_present():
    here = waiting_lists(1, [("e1", 1), ("e2", 1)])
    with pytest.raises(InvalidMoveError, match="still offered"):
        here.present("e2", "a", EARLY)
    assert here.present("e2", "a", here.classes["a"].starts) == Turn("e2", "a", 1, past=("e1",))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (PlaceEvent(Move.OFFERED, EARLY, "", "e2", "a", 1, answer_by=EARLY + timedelta(hours=72)), "another entry"),
        (PlaceEvent(Move.OFFERED, EARLY, "", "e1", "a", 1, answer_by=EARLY + timedelta(hours=73)), "time to answer"),
        (PlaceEvent(Move.PROMOTED, EARLY, "", "e1", "a", 1), "time to answer"),
        (PlaceEvent(Move.OFFERED, EARLY, "", "e1", "a", 2, answer_by=EARLY + timedelta(hours=72)), "not possible"),
        (PlaceEvent(Move.ACCEPTED, EARLY, "", "e1", "a", 1), "not possible"),
        (PlaceEvent(Move.PASSED_OVER, EARLY, "limit", "e1", "a", 1), "could still take"),
        (PlaceEvent(Move.WITHDRAWN, EARLY, "", "e9", "a", 1), "not possible"),
        (PlaceEvent(Move.WITHDRAWN, EARLY, "", "e1", "z", 1), "does not exist"),
        (PlaceEvent(Move.CORRECTED, EARLY, "", "e1", "a", 1, state=PlaceState.HELD, extra=1), "was not there"),
        (PlaceEvent(Move.CORRECTED, EARLY, "", "e9", "a", 1, state=PlaceState.HELD), "does not add"),
        (PlaceEvent(Move.CORRECTED, EARLY, "", "e9", "a", 1, state=PlaceState.WAITING, extra=1), "adds no seats"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused(step: PlaceEvent, why: str):
    with pytest.raises(InvalidMoveError, match=why):
        waiting_lists(1, [("e1", 1), ("e2", 1)]).apply(step)


def test_an_offer_can_be_accepted_before_its_time_and_expires_only_after():
    for move, at, fits in (
        (Move.ACCEPTED, LATE + timedelta(hours=71), True),
        (Move.ACCEPTED, LATE + timedelta(hours=72), False),
        (Move.EXPIRED, LATE + timedelta(hours=71), False),
        (Move.EXPIRED, LATE + timedelta(hours=72), True),
    ):
        here = waiting_lists(1, [("e1", 1)])
        here.apply(offer(here, "e1", 1))
        if fits:
            here.apply(PlaceEvent(move, at, "", "e1", "a", 1))
            continue
        with pytest.raises(InvalidMoveError, match="time to answer"):
            here.apply(PlaceEvent(move, at, "", "e1", "a", 1))


def test_a_correction_touches_nobody_else():
    here = waiting_lists(1, [("e1", 1), ("e2", 1)])
    here.apply(PlaceEvent(Move.CORRECTED, EARLY, "wrongly-refused", "e9", "a", 2, state=PlaceState.HELD, extra=2))
    here.apply(PlaceEvent(Move.CORRECTED, EARLY, "wrongly-refused", "e8", "a", 1, state=PlaceState.WAITING))
    assert here.free("a") == 1
    assert [here.places[each, "a"].position for each in here.waiting("a")] == [1, 2, 3]
    assert here.turn("a", EARLY) == Turn("e1", "a", 1)


def test_a_correction_uses_seats_that_are_free_where_nobody_waits():
    here = waiting_lists(2, [])
    assert (here.extra_needed("a", 2), here.extra_needed("a", 3)) == (0, 3)


@given(TOWNS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_no_class_holds_more_than_it_has_seats_and_nobody_more_than_allowed(seed: int):
    town = random_town(seed)
    end = live(town, seed)
    for rule in town.classes:
        assert end.free(rule.id) >= 0
        taken = [p.seats for (_, name), p in end.places.items() if name == rule.id and p.state in TAKES_SEATS]
        assert sum(taken) == rule.capacity + end.extra.get(rule.id, 0) - end.free(rule.id)
    for entry in {entry for entry, _ in end.places}:
        held = [n for (e, n), p in end.places.items() if e == entry and p.state in TAKES_SEATS]
        assert len(held) <= town.max_wins
        assert all(end.obstacle(entry, name) != "clash" for name in held)


@given(TOWNS)
@settings(max_examples=60, deadline=None)
def test_the_history_written_down_and_read_back_leads_to_the_same(seed: int):
    town = random_town(seed)
    end = live(town, seed)
    first = make_history_event("drawn", BEFORE_IT_ALL, None)
    history = [first, *chain_events(town.steps, first)]
    assert is_hash_chain(history)
    assert read_place_events(history) == town.steps
    assert replay(town.after_the_draw(), read_place_events(history)).places == end.places


@given(TOWNS)
@settings(max_examples=60, deadline=None)
def test_of_those_who_fit_and_may_the_first_on_the_list_is_asked(seed: int):
    town = random_town(seed)
    live(town, seed)
    before = town.after_the_draw()
    for step in town.steps:
        if step.move in {Move.OFFERED, Move.PROMOTED} and step.reason == "":
            position = before.places[step.entry, step.class_id].position or 0
            free, holds = before.free(step.class_id), before.rules.holds_until(before.classes[step.class_id])
            for (entry, name), place in before.places.items():
                if name == step.class_id and place.state is PlaceState.WAITING and (place.position or 0) < position:
                    fits = place.seats <= free
                    assert before.obstacle(entry, name) is not None or (not fits and step.at >= holds)
        before.apply(step)


@given(TOWNS, st.data())
@settings(max_examples=80, deadline=None)
def test_a_promotion_given_to_another_or_out_of_turn_is_found(seed: int, data: st.DataObject):
    town = random_town(seed)
    live(town, seed)
    asked = [n for n, step in enumerate(town.steps) if step.move in {Move.OFFERED, Move.PROMOTED}]
    if not asked:
        return
    at = data.draw(st.sampled_from(asked))
    step = town.steps[at]
    for bent in _bent(town, step):
        with pytest.raises(InvalidMoveError):
            replay(town.after_the_draw(), [*town.steps[:at], bent, *town.steps[at + 1 :]])


def _bent(town: Town, step: PlaceEvent) -> list[PlaceEvent]:
    others = sorted({each.id.hex() for each in town.entries} - {step.entry})
    bent = [replace(step, entry=other) for other in others]
    return [
        *bent,
        replace(step, seats=step.seats + 1),
        replace(step, past=(*step.past, others[0])),
        replace(step, answer_by=step.at + timedelta(days=30)),
    ]


def replay(lists: WaitingLists, steps: list[PlaceEvent]) -> WaitingLists:
    for step in steps:
        lists.apply(step)
    return lists


def offer(here: WaitingLists, entry: str, seats: int, *, past: tuple[str, ...] = (), at: datetime = LATE) -> PlaceEvent:
    answer_by = here.rules.answer_by(here.classes["a"], at)
    return PlaceEvent(Move.OFFERED, at, "", entry, "a", seats, answer_by=answer_by, past=past)
