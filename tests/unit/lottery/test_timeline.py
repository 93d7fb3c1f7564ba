"""The timeline of a draw shows done, running and waiting steps in their order."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lottery.draw.rules.blockers import Code, Readiness, Wait, waits
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.record.manifest import draw_id
from services.lottery.statistics.rules.timeline import BLOCKING, DrawFacts, StepState, current, timeline
from shared.campaign import quicknet
from shared.campaign.model import Beacon
from tests.support.draw_builders import sample_campaign

CAMPAIGN = sample_campaign()
WINDOW, AT = CAMPAIGN.window, CAMPAIGN.draw.at
HOUR = timedelta(hours=1)
OPEN = DrawFacts(DrawState.OPEN, uses_dice=True)
FROZEN = DrawFacts(
    DrawState.FROZEN,
    uses_dice=True,
    beacon_at=AT + 30 * HOUR,
    has_objections=True,
    frozen_at=AT,
    objections_until=AT + 24 * HOUR,
)
OBJECTIONS, DICE, BEACON = Wait("objections", until=AT + 24 * HOUR), Wait("dice", count=2), Wait("beacon", count=7)
LATER, NOW, WAITING, DONE = StepState.LATER, StepState.NOW, StepState.WAITING, StepState.DONE


def states(facts: DrawFacts, waiting: list[Wait], now: datetime = AT) -> dict[str, StepState]:
    return {step.name: step.state for step in timeline(CAMPAIGN, facts, waiting, now)}


def open_draw(number: int = 1) -> Draw:
    return Draw(CAMPAIGN.id, draw_id(CAMPAIGN.id, number), number, DrawState.OPEN)


def open_list(now: datetime, readiness: Readiness, number: int = 1) -> tuple[dict[str, StepState], list[str]]:
    """Return the states of the steps, and the codes that the draw waits for."""
    waiting = waits(open_draw(number), CAMPAIGN, readiness, now)
    steps = timeline(CAMPAIGN, OPEN, waiting, now)
    return {step.name: step.state for step in steps}, [wait.code for step in steps for wait in step.waits]


COMPLETE = Readiness(held=0, undecided=0, receipts_closed=True)
GAPS = Readiness(held=2, undecided=7, receipts_closed=False)


def test_a_draw_has_the_steps_of_its_campaign_and_no_others():
    assert list(states(OPEN, [])) == ["window", "paper", "freeze", "manifest", "dice", "beacon", "draw", "notices"]
    only_beacon = replace(FROZEN, uses_dice=False)
    assert list(states(only_beacon, []))[4:6] == ["objection", "beacon"]
    prompt = CAMPAIGN.model_copy(update={"window": WINDOW.model_copy(update={"paper_until": WINDOW.closes})})
    assert "paper" not in {step.name for step in timeline(prompt, OPEN, [], AT)}


@pytest.mark.parametrize(
    ("now", "at_work"),
    [
        (WINDOW.opens - HOUR, []),
        (WINDOW.opens, ["window"]),
        (WINDOW.closes, ["paper"]),
        (WINDOW.paper_until, []),
        (AT, ["freeze"]),
    ],
)
def test_before_the_freeze_the_clock_alone_moves_the_steps(now: datetime, at_work: list[str]):
    found, holding = open_list(now, COMPLETE)
    assert [name for name, state in found.items() if state is NOW] == at_work
    assert holding == []


def test_gaps_in_the_list_are_named_when_the_grace_period_ends_and_hold_the_freeze_when_it_is_due():
    assert open_list(WINDOW.paper_until - HOUR, GAPS)[1] == []
    early, named = open_list(WINDOW.paper_until, GAPS)
    assert (early["freeze"], named) == (LATER, ["receipts", "held", "undecided"])
    due, holding = open_list(AT, GAPS)
    assert (due["freeze"], holding) == (WAITING, ["receipts", "held", "undecided"])


def test_a_round_that_is_known_and_a_clock_that_is_wrong_hold_the_freeze():
    beacon = Beacon(chain=quicknet.CHAIN, public_key=quicknet.PUBLIC_KEY, round=1000)
    rule = CAMPAIGN.draw.model_copy(update={"source": "beacon", "beacon": beacon})
    late = CAMPAIGN.model_copy(update={"draw": rule})
    missing = [*waits(open_draw(), late, COMPLETE, quicknet.time_of(1000)), Wait("clock")]
    assert [wait.code for wait in missing] == ["round-passed", "clock"]
    assert states(OPEN, missing)["freeze"] is WAITING


def test_a_list_that_was_opened_again_waits_for_staff_and_a_closed_one_does_not():
    found, holding = open_list(AT + HOUR, COMPLETE, number=2)
    assert (found["freeze"], holding) == (WAITING, ["freeze"])
    assert states(replace(OPEN, state=DrawState.FREEZING), [Wait("writing")])["freeze"] is NOW


def test_no_randomness_is_due_while_objections_may_be_raised():
    assert states(FROZEN, [OBJECTIONS, DICE, BEACON]) == {
        "window": DONE, "paper": DONE, "freeze": DONE, "manifest": DONE,
        "objection": NOW, "dice": LATER, "beacon": LATER, "draw": LATER, "notices": LATER,
    }  # fmt: skip
    after = timeline(CAMPAIGN, FROZEN, [DICE, BEACON], AT + 24 * HOUR)
    found = {step.name: step for step in after}
    assert found["objection"].state is DONE
    assert (found["dice"].state, found["dice"].waits) == (WAITING, (DICE,))
    assert (found["beacon"].state, found["beacon"].waits) == (WAITING, (BEACON,))
    assert found["draw"].state is LATER


def test_the_draw_goes_on_by_itself_once_every_source_is_there():
    half = states(replace(FROZEN, given={"dice": AT}), [BEACON])
    assert (half["dice"], half["beacon"], half["draw"]) == (DONE, WAITING, LATER)
    whole = states(FROZEN, [])
    assert (whole["dice"], whole["beacon"], whole["draw"]) == (DONE, DONE, NOW)
    drawn = replace(FROZEN, state=DrawState.DRAWN, drawn_at=AT)
    assert (states(drawn, [])["draw"], states(drawn, [])["notices"]) == (DONE, NOW)
    published = replace(drawn, state=DrawState.PUBLISHED)
    assert states(published, [])["notices"] is NOW
    assert states(replace(drawn, all_notified=True), [])["notices"] is NOW
    assert set(states(replace(published, all_notified=True), []).values()) == {DONE}


def test_the_current_step_is_the_first_that_is_not_done():
    step = current(timeline(CAMPAIGN, FROZEN, [DICE], AT))
    assert step is not None
    assert (step.name, step.state) == ("dice", WAITING)
    assert current(timeline(CAMPAIGN, replace(FROZEN, state=DrawState.PUBLISHED, all_notified=True), [], AT)) is None


def test_every_kind_of_wait_holds_a_step_up_or_is_for_the_clock():
    for_the_clock = {"paper", "draw-time", "writing", "objections", "results"}
    assert set(get_args(Code)) == set(BLOCKING) | for_the_clock


@given(
    st.sampled_from(DrawState),
    st.lists(st.sampled_from(get_args(Code)), unique=True).map(lambda codes: [Wait(code) for code in codes]),
    st.integers(-500, 100),
)
def test_only_what_is_due_waits_and_says_for_what(state: DrawState, waiting: list[Wait], hours: int):
    steps = timeline(CAMPAIGN, replace(FROZEN, state=state), waiting, AT + hours * HOUR)
    assert all(step.waits for step in steps if step.state is WAITING)
    assert all(not step.waits for step in steps if step.state in {DONE, NOW})
