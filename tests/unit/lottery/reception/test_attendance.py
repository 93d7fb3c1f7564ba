"""Verdicts on scans depend only on the set of scans and their times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.reception.rules.attendance import (
    AdmissionWindow,
    Code,
    Count,
    Place,
    Scan,
    Verdict,
    judge,
    people_in,
)

STARTS = datetime(2018, 6, 9, 1, 0, tzinfo=UTC)
WINDOW = AdmissionWindow(STARTS - timedelta(hours=6), STARTS + timedelta(minutes=90))
PAIR = Place(seats=2)


def scan(name: str, minutes: int = 0, people: int = 1, device: str = "A", **more: str) -> Scan:
    return Scan(name, device, STARTS + timedelta(minutes=minutes), "football", people, **more)  # type: ignore[arg-type]


def codes(place: Place | None, *scans: Scan) -> list[str]:
    verdicts = judge(place, WINDOW, scans)
    return [verdicts[each.id].code for each in scans]


NAMES = st.sampled_from([f"s{number}" for number in range(9)])
SCANS = st.lists(
    st.builds(
        Scan,
        id=NAMES,
        device=st.sampled_from("AB"),
        at=st.integers(-400, 120).map(lambda minutes: STARTS + timedelta(minutes=minutes)),
        class_id=st.just("football"),
        people=st.integers(1, 4),
        served_class=st.sampled_from([None, "football", "running"]),
        undoes=st.none() | NAMES,
        fault=st.sampled_from([None, None, "forged", "unproved"]),
    ),
    max_size=9,
    unique_by=lambda each: each.id,
)
PLACES = st.none() | st.builds(
    Place,
    seats=st.integers(1, 5),
    state=st.sampled_from(["held", "held", "waiting", "gone"]),
    gone_at=st.none() | st.just(STARTS),
    held_since=st.none() | st.just(STARTS),
)


@given(PLACES, SCANS, st.randoms(use_true_random=False), st.integers(0, 9))
def test_neither_order_nor_repetition_of_what_devices_send_changes_an_answer(
    place: Place | None, scans: list[Scan], chance: Random, cut: int
):
    mixed = [*scans, *scans[:cut]]
    chance.shuffle(mixed)
    assert judge(place, WINDOW, mixed) == judge(place, WINDOW, scans)


@given(PLACES, SCANS)
def test_every_scan_is_kept_with_an_answer_and_never_more_are_in_than_the_place_has(
    place: Place | None, scans: list[Scan]
):
    verdicts = judge(place, WINDOW, scans)
    assert set(verdicts) == {each.id for each in scans}
    assert 0 <= people_in(verdicts) <= (place.seats if place else 0)
    assert all(
        (verdict.counted > 0) == (verdict.code in {"admitted", "more", "conflict"}) for verdict in verdicts.values()
    )


@given(PLACES, SCANS, st.integers(1, 4))
def test_a_later_scan_changes_no_earlier_answer(place: Place | None, scans: list[Scan], people: int):
    later = scan("z", 121, people)
    verdicts = judge(place, WINDOW, [*scans, later])
    assert {name: verdict for name, verdict in verdicts.items() if name != "z"} == judge(place, WINDOW, scans)


@given(SCANS)
def test_taking_every_scan_back_leaves_nobody_in(scans: list[Scan]):
    undone = [replace(each, id=f"u{each.id}", undoes=each.id) for each in scans]
    assert people_in(judge(PAIR, WINDOW, [*scans, *undone])) == 0


@given(SCANS, st.sets(NAMES))
def test_two_devices_that_meet_agree_on_what_each_of_them_would_have_said_of_all(
    scans: list[Scan], seen_by_one: set[str]
):
    one = [each for each in scans if each.id in seen_by_one]
    other = [each for each in scans if each.id not in seen_by_one]
    assert judge(PAIR, WINDOW, [*one, *other]) == judge(PAIR, WINDOW, [*other, *one])


def test_of_two_devices_the_second_sees_that_the_pass_was_used_and_both_scans_stay():
    first, second = scan("b", 0, device="A"), scan("a", 3, device="B")
    assert judge(Place(1), WINDOW, [second, first]) == {
        "b": Verdict(Code.ADMITTED, 1),
        "a": Verdict(Code.AGAIN, 0, "b"),
    }


def test_a_group_may_come_one_after_the_other_and_no_more_than_it_is():
    assert codes(PAIR, scan("a"), scan("b", 1), scan("c", 2)) == ["admitted", "admitted", "again"]
    verdicts = judge(PAIR, WINDOW, [scan("a"), scan("b", 1, people=2)])
    assert verdicts["b"] == Verdict(Code.MORE, 1, "a")


def test_what_was_taken_back_may_be_scanned_again():
    assert codes(Place(1), scan("a"), scan("u", 1, undoes="a"), scan("b", 2)) == ["undone", "undo", "admitted"]


@pytest.mark.parametrize(
    ("place", "tried", "code"),
    [
        (None, scan("a"), "unknown"),
        (PAIR, scan("a", fault="forged"), "forged"),
        (PAIR, scan("a", fault="wrong-code"), "wrong-code"),
        (PAIR, scan("a", fault="unproved"), "compare"),
        (PAIR, scan("a", served_class="running"), "other-class"),
        (PAIR, scan("a", -361), "early"),
        (PAIR, scan("a", -360), "admitted"),
        (PAIR, scan("a", 90), "admitted"),
        (PAIR, scan("a", 91), "over"),
        (Place(2, "waiting"), scan("a"), "not-held"),
        (Place(2, "offered"), scan("a"), "not-held"),
        (Place(2, held_since=STARTS), scan("a", -1), "not-held"),
        (Place(2, held_since=STARTS), scan("a"), "admitted"),
        (Place(2, "gone"), scan("a"), "gone"),
        (Place(2, "gone", STARTS), scan("a", 0), "gone"),
        (Place(2, "gone", STARTS), scan("a", -1), "conflict"),
    ],
)
def test_a_refused_scan_names_its_reason(place: Place | None, tried: Scan, code: str):
    assert codes(place, tried) == [code]


def test_a_class_counts_places_that_came_whole_in_part_and_not_at_all():
    count = Count()
    for place, inside in [(PAIR, 2), (PAIR, 1), (PAIR, 0), (Place(1, "gone"), 1), (Place(1, "waiting"), 0)]:
        count = count.with_place(place, inside)
    assert (count.places, count.seats, count.people) == (3, 6, 4)
    assert (count.complete, count.partial, count.absent) == (1, 1, 1)
