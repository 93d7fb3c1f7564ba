"""The timeline of a draw: what is done, what goes on, what is missing, in the order in which it happens."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.states import DrawState
from services.lottery.timeline import Facts, StepState, Wait, current, timeline
from tests.unit.lottery.draws import sample_campaign

CAMPAIGN = sample_campaign()
WINDOW, AT = CAMPAIGN.window, CAMPAIGN.draw.at
HOUR = timedelta(hours=1)
DICE = Facts(DrawState.OPEN, uses_dice=True, receipts_closed=True)
BOTH = replace(DICE, beacon_at=AT + 30 * HOUR, has_objections=True)
FROZEN = replace(BOTH, state=DrawState.FROZEN, frozen_at=AT, objections_until=AT + 24 * HOUR)
LATER, NOW, WAITING, DONE = StepState.LATER, StepState.NOW, StepState.WAITING, StepState.DONE


def states(facts: Facts, now: datetime) -> dict[str, StepState]:
    return {step.name: step.state for step in timeline(CAMPAIGN, facts, now)}


def waits(facts: Facts, now: datetime) -> list[Wait]:
    return [wait for step in timeline(CAMPAIGN, facts, now) for wait in step.waits]


def test_a_draw_has_the_steps_of_its_campaign_and_no_others():
    assert list(states(DICE, AT)) == ["window", "paper", "freeze", "manifest", "dice", "draw", "notices"]
    assert list(states(replace(BOTH, uses_dice=False), AT))[4:6] == ["objection", "beacon"]
    prompt = CAMPAIGN.model_copy(update={"window": WINDOW.model_copy(update={"paper_until": WINDOW.closes})})
    assert "paper" not in {step.name for step in timeline(prompt, DICE, AT)}


@pytest.mark.parametrize(
    ("now", "at_work"),
    [
        (WINDOW.opens - HOUR, None),
        (WINDOW.opens, "window"),
        (WINDOW.closes, "paper"),
        (WINDOW.paper_until, None),
        (AT, "freeze"),
    ],
)
def test_before_the_freeze_the_clock_alone_moves_the_steps(now: datetime, at_work: str | None):
    at = [name for name, state in states(DICE, now).items() if state is NOW]
    assert at == ([at_work] if at_work else [])
    assert waits(DICE, now) == []


def test_gaps_in_the_list_are_named_when_the_grace_period_ends_and_hold_the_freeze_when_it_is_due():
    open_list = replace(DICE, held=2, undecided=7, receipts_closed=False)
    assert waits(open_list, WINDOW.paper_until - HOUR) == []
    gaps = [Wait("receipts"), Wait("undecided", 7), Wait("held", 2)]
    assert waits(open_list, WINDOW.paper_until) == gaps
    assert states(open_list, WINDOW.paper_until)["freeze"] is LATER
    assert waits(open_list, AT) == gaps
    assert states(open_list, AT)["freeze"] is WAITING


def test_nothing_of_chance_is_due_while_objections_may_come():
    during, after = AT + HOUR, AT + 24 * HOUR
    assert states(FROZEN, during) == {
        "window": DONE, "paper": DONE, "freeze": DONE, "manifest": DONE,
        "objection": NOW, "dice": LATER, "beacon": LATER, "draw": LATER, "notices": LATER,
    }  # fmt: skip
    assert states(FROZEN, after)["objection"] is DONE
    assert waits(FROZEN, after) == [Wait("dice"), Wait("beacon-round", at=AT + 30 * HOUR)]
    assert waits(FROZEN, AT + 30 * HOUR) == [Wait("dice"), Wait("beacon")]


def test_the_draw_goes_on_by_itself_once_every_source_is_there():
    after = AT + 31 * HOUR
    half = replace(FROZEN, dice_given=True)
    assert (states(half, after)["dice"], states(half, after)["draw"]) == (DONE, LATER)
    whole = replace(half, beacon_given=True)
    assert (states(whole, after)["beacon"], states(whole, after)["draw"]) == (DONE, NOW)
    drawn = replace(whole, state=DrawState.DRAWN, drawn_at=after)
    assert (states(drawn, after)["draw"], states(drawn, after)["notices"]) == (DONE, NOW)
    assert set(states(replace(drawn, state=DrawState.PUBLISHED), after).values()) == {DONE}


def test_the_current_step_is_the_first_that_is_not_done():
    step = current(timeline(CAMPAIGN, FROZEN, AT + 25 * HOUR))
    assert step is not None
    assert (step.name, step.state) == ("dice", WAITING)
    published = replace(FROZEN, state=DrawState.PUBLISHED, dice_given=True, beacon_given=True)
    assert current(timeline(CAMPAIGN, published, AT + 31 * HOUR)) is None


FACTS = st.builds(
    Facts,
    st.sampled_from(DrawState),
    uses_dice=st.booleans(),
    beacon_at=st.none() | st.just(AT + 30 * HOUR),
    held=st.integers(0, 2),
    undecided=st.integers(0, 2),
    receipts_closed=st.booleans(),
    frozen_at=st.just(AT),
    has_objections=st.booleans(),
    objections_until=st.none() | st.just(AT + HOUR),
)


@given(FACTS, st.integers(-500, 100))
def test_only_what_waits_at_its_time_says_for_what_and_nothing_else_is_called_waiting(facts: Facts, hours: int):
    steps = timeline(CAMPAIGN, facts, AT + hours * HOUR)
    assert all(step.waits for step in steps if step.state is WAITING)
    assert all(not step.waits for step in steps if step.state in {DONE, NOW})
