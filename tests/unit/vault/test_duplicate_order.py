"""Which application of one person stands: copies, look-alikes, corrections, withdrawals and decisions of the desk."""

import random

import pytest

from services.vault.applications.rules.content import Unreadable
from services.vault.applications.rules.states import ApplicationState
from shared.codes import Code
from tests.support.application_register import Register, name
from tests.support.identity_builders import code_of, person

OTHER_MAIL = person(email="ichiro@other.example")
OTHER_PHONE = person(phone="0300000009")
MOVED = person(phone="0300000009", address="東京都新宿区四谷1-1", postal_code="1600004")
DOUBT = {"doubts": ("postal-mismatch",)}


@pytest.fixture
def register() -> Register:
    return Register()


def test_an_exact_copy_gives_way_whatever_its_classes_are_and_reads_like_any_other(register: Register):
    register.send(1, person())
    register.send(2, person(), seats=2)
    assert register.states(1, 2) == ["accepted", "superseded"]
    assert register.statuses(1, 2) == ["complete", "complete"]


def test_a_hundred_copies_hold_nothing(register: Register):
    """Attack a13: 118 applications of one person held the draw, each for a decision of the desk."""
    register.send(1, person())
    for number in range(2, 120):
        register.send(number, person())
    assert set(register.states(*range(2, 120))) == {"superseded"}


def test_copies_of_a_look_alike_wait_with_it_and_only_it_needs_a_decision(register: Register):
    register.send(1, person())
    for number in range(2, 60):
        register.send(number, OTHER_MAIL)
    assert register.states(2) == ["held"]
    assert set(register.states(*range(3, 60))) == {"superseded"}
    assert set(register.statuses(*range(1, 60))) == {"complete"}


def test_after_a_duplicate_was_rejected_its_copies_need_no_decision_again(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.reject(2, "duplicate")
    register.send(3, OTHER_MAIL)
    assert register.states(2, 3) == ["rejected", "superseded"]
    assert register.statuses(2, 3) == ["complete", "complete"]


def test_when_the_first_is_withdrawn_its_earliest_copy_stands(register: Register):
    for number in (1, 2, 3):
        register.send(number, person())
    register.send(1, None, version=2)
    assert register.states(1, 2, 3) == ["withdrawn", "accepted", "superseded"]
    assert {row.application_id for row in register.published} == {name(1), name(2), name(3)}
    register.send(2, None, version=2)
    assert register.states(1, 2, 3) == ["withdrawn", "withdrawn", "accepted"]


def test_when_the_first_changes_a_matching_key_its_copy_stands_and_the_corrected_one_is_held(register: Register):
    """It counts as arriving with that version."""
    register.send(1, person())
    register.send(2, person())
    register.send(1, OTHER_PHONE, version=2)
    assert register.states(1, 2) == ["held", "accepted"]
    assert register.statuses(1, 2) == ["complete", "complete"]


def test_when_the_first_becomes_another_person_both_stand(register: Register):
    register.send(1, person())
    register.send(2, person())
    register.send(1, person(name="佐藤 花子"), version=2)
    assert register.states(1, 2) == ["accepted", "accepted"]


def test_a_correction_of_contacts_keeps_its_place_and_its_copies_become_look_alikes(register: Register):
    for number in (1, 2, 3):
        register.send(number, person())
    register.send(1, OTHER_MAIL, version=2)
    assert register.states(1, 2, 3) == ["accepted", "held", "superseded"]


def test_a_correction_of_the_classes_alone_changes_nothing_for_others(register: Register):
    register.send(1, person())
    register.send(2, person())
    corrected = register.send(1, person(), version=2, seats=2)
    assert (corrected.version, corrected.revision, corrected.choices[0].seats) == (2, 2, 2)
    assert register.states(1, 2) == ["accepted", "superseded"]
    assert [row.application_id for row in register.published] == [name(1)]


def test_a_first_that_becomes_equal_to_its_look_alike_still_stands_and_needs_no_decision(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.send(1, OTHER_MAIL, version=2)
    assert register.states(1, 2) == ["accepted", "superseded"]


def test_of_one_person_the_version_stands_that_the_handler_chose(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.decide(1, 2, "same-person", stands=2)
    assert register.states(1, 2) == ["rejected", "accepted"]
    assert register.statuses(1, 2) == ["complete", "complete"]
    register.undo(1, 2)
    assert register.states(1, 2) == ["accepted", "held"]
    register.decide(1, 2, "household")
    assert register.states(1, 2) == ["accepted", "accepted"]


def test_when_the_chosen_one_is_withdrawn_the_other_stands(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.decide(1, 2, "same-person", stands=2)
    register.send(2, None, version=2)
    assert register.states(1, 2) == ["accepted", "withdrawn"]


def test_a_decision_holds_for_the_pair_after_a_withdrawal(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.decide(1, 2, "two-people")
    register.send(2, None, version=2)
    register.send(2, OTHER_MAIL, version=3)
    assert register.states(1, 2) == ["accepted", "accepted"]


def test_a_correction_that_changes_no_agreement_keeps_the_decision_and_any_other_asks_again(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.decide(1, 2, "two-people")
    register.send(2, person(email="third@else.example"), version=2)
    assert register.states(1, 2) == ["accepted", "accepted"]
    register.send(2, OTHER_PHONE, version=3)
    assert register.states(1, 2) == ["accepted", "held"]


def test_twins_and_father_and_son_wait_for_nobody(register: Register):
    register.send(1, person(name="佐藤 一郎", age=None, grade="p3", guardian_name="佐藤 恵子"))
    register.send(2, person(name="佐藤 二郎", age=None, grade="p3", guardian_name="佐藤 恵子"))
    register.send(3, person(name="佐藤 一郎", age=70))
    assert register.states(1, 2, 3) == ["accepted", "accepted", "accepted"]


def test_decisions_in_a_circle_drop_nobody(register: Register):
    for number, other in ((1, "a"), (2, "b"), (3, "c")):
        register.send(number, person(email=f"{other}@x.example"))
    register.decide(1, 2, "same-person", stands=1)
    register.decide(2, 3, "same-person", stands=2)
    register.decide(1, 3, "same-person", stands=3)
    assert register.states(1, 2, 3).count("accepted") == 1


def test_any_order_of_arrival_finds_the_same_doubts():
    people = [person(), OTHER_MAIL, OTHER_PHONE, MOVED, person(name="タカハシ イチロウ"), person(name="髙橋 二郎")]
    expected = None
    for seed in range(12):
        dice, register = random.Random(seed), Register()  # noqa: S311  (an order, not keys)
        order = list(range(len(people)))
        dice.shuffle(order)
        for number in order:
            register.send(number + 1, people[number])
        found = {contents: pair.levels for contents, pair in register.pairs.items()}
        expected = expected or found
        assert found == expected
        assert len(found) > 5
        assert sum(row.state is ApplicationState.ACCEPTED for row in register.rows.values()) == 2


def test_the_highest_version_stands_also_after_a_withdrawal(register: Register):
    register.send(1, person())
    assert register.send(1, None, version=2).own_status == "withdrawn"
    again = register.send(1, person(), version=3)
    assert (again.state, again.version, again.own_reasons) == (ApplicationState.ACCEPTED, 3, ())


def test_after_a_withdrawal_another_application_of_the_person_stands_before_the_old_one(register: Register):
    register.send(1, person())
    register.send(1, None, version=2)
    register.send(2, OTHER_MAIL)
    register.send(1, person(), version=3)
    assert register.states(1, 2) == ["held", "accepted"]


def test_a_version_with_another_code_leaves_the_earlier_content_under_the_new_number(register: Register):
    first = register.send(1, person())
    forged = register.send(1, MOVED, version=2, code=Code("0123456789ABCDEF"))
    assert (forged.version, forged.content_version, forged.revision) == (2, 1, 2)
    assert (forged.state, forged.keys, forged.entry) == (first.state, first.keys, first.entry)
    withdrawn = register.send(1, None, version=3, code=Code("0123456789ABCDEF"))
    assert (withdrawn.state, withdrawn.version) == (ApplicationState.ACCEPTED, 3)


def test_a_version_that_does_not_open_leaves_the_earlier_content_too(register: Register):
    register.send(1, person())
    spoilt = register.send(1, person(), version=2, verdict=Unreadable(("malformed",)))
    assert (spoilt.state, spoilt.version, spoilt.content_version) == (ApplicationState.ACCEPTED, 2, 1)


def test_a_malformed_version_with_the_right_code_is_the_applicants_own_and_is_rejected(register: Register):
    register.send(1, person())
    own = register.send(1, person(), version=2, verdict=Unreadable(("malformed",), code_of(name(1))))
    assert (own.state, own.reasons, own.content_version) == (ApplicationState.REJECTED, ("malformed",), 2)


def test_a_genuine_version_behind_a_forged_one_still_takes_its_place(register: Register):
    register.send(1, person())
    register.send(1, MOVED, version=3, code=Code("0123456789ABCDEF"))
    late = register.send(1, OTHER_MAIL, version=2)
    assert (late.version, late.content_version) == (3, 2)


def test_replays_and_lower_versions_change_nothing(register: Register):
    register.send(1, person())
    register.send(1, person(), version=2)
    register.send(1, None, version=3)
    before = register.rows[name(1)]
    for version in (1, 2, 3):
        register.send(1, person(), version=version)
        assert register.published == []
    assert register.rows[name(1)] == before


def test_versions_in_any_order_end_with_the_highest():
    for order in ([1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3], [3, 1, 2, 4]):
        register = Register()
        contents = {1: person(), 2: OTHER_MAIL, 3: None, 4: OTHER_PHONE}
        for version in order:
            register.send(1, contents[version], version=version)
        row = register.rows[name(1)]
        assert (row.content_version, row.version, row.state) == (4, 4, ApplicationState.ACCEPTED)


def test_a_doubt_is_under_review_until_the_desk_decides_for_all_copies(register: Register):
    register.send(1, person(), **DOUBT)
    register.send(2, person(), **DOUBT)
    assert register.states(1, 2) == ["held", "superseded"]
    assert register.statuses(1, 2) == ["under-review", "under-review"]
    register.accept(1)
    assert register.statuses(1, 2) == ["complete", "complete"]


def test_a_rejection_for_the_own_content_holds_for_all_copies_and_frees_the_way(register: Register):
    register.send(1, person(), **DOUBT)
    register.send(2, person(), **DOUBT)
    register.reject(1, "not-resident")
    assert register.states(1, 2) == ["rejected", "rejected"]
    assert register.rows[name(2)].own_reasons == ("not-resident",)
    register.send(3, OTHER_MAIL)
    assert register.states(3) == ["accepted"]


def test_a_rejection_as_duplicate_is_told_to_nobody(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.reject(2, "same-person")
    row = register.rows[name(2)]
    assert (row.state, row.own_status, row.own_reasons) == (ApplicationState.REJECTED, "complete", ())


def test_a_rejected_duplicate_stands_once_the_other_application_is_withdrawn(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.reject(2, "duplicate")
    register.send(1, None, version=2)
    assert register.states(1, 2) == ["withdrawn", "accepted"]


def test_a_decision_of_the_desk_outlives_a_correction_of_the_classes(register: Register):
    register.send(1, person())
    register.send(2, OTHER_MAIL)
    register.accept(2)
    register.send(2, OTHER_MAIL, version=2, seats=2)
    assert register.states(2) == ["accepted"]
    register.send(3, person(phone="0300000009"), **DOUBT)
    register.reject(3, "not-resident")
    register.send(3, person(phone="0300000009"), version=2, seats=2, **DOUBT)
    assert register.states(3) == ["rejected"]


def test_a_correction_of_one_under_review_is_judged_afresh(register: Register):
    register.send(1, MOVED, **DOUBT)
    assert register.send(1, person(), version=2).own_status == "complete"


def test_whatever_happens_one_application_of_a_person_stands_and_the_owners_are_consistent():
    """Send random corrections, withdrawals, copies and decisions of a few people."""
    contents = [person(), OTHER_MAIL, OTHER_PHONE, person(name="佐藤 花子"), None]
    for seed in range(60):
        dice, register = random.Random(seed), Register()  # noqa: S311  (moves, not keys)
        versions: dict[int, int] = {}
        for _ in range(40):
            number = dice.randrange(6)
            versions[number] = versions.get(number, 0) + 1
            register.send(number, dice.choice(contents), version=versions[number])
            held = [row for row in register.rows.values() if row.state is ApplicationState.HELD]
            if held and dice.random() < 0.2:
                target = int(held[0].application_id[-12:])
                register.accept(target) if dice.random() < 0.5 else register.reject(target, "duplicate")
            _check(register)


def _check(register: Register) -> None:
    rows = register.rows.values()
    accepted = {row.application_id for row in rows if row.state is ApplicationState.ACCEPTED}
    for row in rows:
        if row.state is ApplicationState.SUPERSEDED:
            assert row.match is not None
            original = register.rows[row.match.application_id]
            assert original.keys["copy"] == row.keys["copy"]
            assert original.is_applying
            assert original.state is not ApplicationState.SUPERSEDED
        if row.is_applying and row.state is not ApplicationState.SUPERSEDED:
            assert row.application_id in accepted or row.match is not None
        if row.state is ApplicationState.HELD:
            assert row.match is not None
            assert register.rows[row.match.application_id].is_applying
    again = register.order()
    again.settle()
    assert again.changed == [], "a state follows from what is stored, not from the way that led there"
