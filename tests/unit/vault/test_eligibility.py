"""Which classes a person may take (R-B1), and when a guardian is named (R-D2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.applications.rules.eligibility import (
    ADULT,
    eligible,
    eligible_besides,
    guardian_problem,
    is_minor,
    unknown_classes,
)
from services.vault.identities.person import Person
from shared.contracts import Choice
from shared.ids import ClassId
from tests.support.identity_builders import campaign, person, pupil

CAMPAIGN = campaign()
GRADES = ("p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3")
SEATS = {each.id: each.seats[0] for each in CAMPAIGN.classes}

people = st.one_of(
    st.sampled_from(GRADES).map(pupil),
    st.integers(0, 120).map(lambda age: person(age=age, guardian_name="髙橋 恵子" if age < ADULT else None)),
)
choices = st.lists(
    st.builds(Choice, class_id=st.sampled_from([*SEATS, ClassId("hammer-throw")]), seats=st.integers(1, 4)),
    max_size=8,
    unique_by=lambda choice: choice.class_id,
)


def may_take(who: Person, class_id: str) -> bool:
    wanted = [Choice(class_id=ClassId(class_id), seats=SEATS[ClassId(class_id)])]
    return bool(eligible(who, wanted, CAMPAIGN).choices)


@given(people, choices)
def test_everybody_who_takes_part_in_a_further_round_may_take_what_was_not_asked_for(
    who: Person, wanted: list[Choice]
) -> None:
    """Check each further class against the rule for asked ones; where rounds are for those who asked there is none."""
    rules = CAMPAIGN.draw.model_copy(update={"further_round": "everybody"})
    everybody = CAMPAIGN.model_copy(update={"draw": rules})
    asked, seats = {one.class_id for one in wanted}, max((one.seats for one in wanted), default=1)
    others = [Choice(class_id=each.id, seats=seats) for each in CAMPAIGN.classes if each.id not in asked]
    expected = [one for one in others if eligible(who, [one], CAMPAIGN).choices]
    assert list(eligible_besides(who, wanted, everybody)) == expected
    assert eligible_besides(who, wanted, CAMPAIGN) == ()


@pytest.mark.parametrize(
    ("class_id", "grades"),
    [
        ("junior-football", {"p2", "p3", "p4"}),
        ("sports-day-running", {"p3", "p4", "p5"}),
        ("adult-running", set()),
        ("escort-kids", {"p1"}),
        ("attend-olympians", {"j1", "j2", "j3"}),
        ("press-kids", {"p5", "p6"}),
        ("parent-child-food", {"p4", "p5", "p6", "j1", "j2", "j3"}),
    ],
)
def test_each_class_takes_exactly_its_grades(class_id: str, grades: set[str]):
    assert {grade for grade in GRADES if may_take(pupil(grade), class_id)} == grades


@pytest.mark.parametrize(
    ("class_id", "ages"), [("adult-running", range(20, 121)), ("parent-child-food", range(15, 20)), ("press-kids", [])]
)
def test_each_class_takes_exactly_its_ages(class_id: str, ages: range):
    assert [age for age in range(121) if may_take(person(age=age), class_id)] == list(ages)


@given(people, choices)
def test_every_class_asked_for_ends_in_exactly_one_list_and_keeps_its_place(who: Person, wanted: list[Choice]):
    verdict = eligible(who, wanted, CAMPAIGN)
    refused = {refusal.class_id for refusal in verdict.refused}
    assert list(verdict.choices) == [choice for choice in wanted if choice.class_id not in refused]
    assert [refusal.class_id for refusal in verdict.refused] == [c.class_id for c in wanted if c.class_id in refused]


@given(people, choices)
def test_the_verdict_on_one_class_does_not_depend_on_the_others(who: Person, wanted: list[Choice]):
    alone = [choice for choice in wanted if eligible(who, [choice], CAMPAIGN).choices]
    assert list(eligible(who, wanted, CAMPAIGN).choices) == alone


@given(people, choices)
def test_reasons_speak_of_what_the_person_gave(who: Person, wanted: list[Choice]):
    foreign = "age" if who.grade is not None else "grade"
    assert foreign not in {refusal.reason for refusal in eligible(who, wanted, CAMPAIGN).refused}


def test_a_pair_takes_two_seats_and_no_other_number():
    for seats in (1, 2, 3):
        verdict = eligible(pupil("p4"), [Choice(class_id=ClassId("parent-child-food"), seats=seats)], CAMPAIGN)
        assert bool(verdict.choices) == (seats == 2)
        assert [refusal.reason for refusal in verdict.refused] == ([] if seats == 2 else ["seats"])


def test_a_class_that_does_not_exist_is_unknown():
    assert unknown_classes([Choice(class_id=ClassId("hammer-throw"), seats=1)], CAMPAIGN)
    assert not unknown_classes([Choice(class_id=class_id, seats=1) for class_id in SEATS], CAMPAIGN)


@pytest.mark.parametrize("grade", GRADES)
def test_a_pupil_is_a_minor_and_needs_a_guardian(grade: str):
    assert is_minor(pupil(grade))
    assert guardian_problem(pupil(grade)) is None
    assert guardian_problem(pupil(grade, guardian_name=None)) == "guardian-missing"


@given(st.integers(0, 120), st.booleans())
def test_a_guardian_is_named_exactly_under_twenty(age: int, named: bool):  # noqa: FBT001  (hypothesis gives it)
    problem = guardian_problem(person(age=age, guardian_name="髙橋 恵子" if named else None))
    expected = None if named == (age < 20) else "guardian-not-allowed" if named else "guardian-missing"
    assert problem == expected
