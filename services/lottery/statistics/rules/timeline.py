"""Derive the timeline of a draw as staff see it: its steps, their states, and what they wait for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from services.lottery.draw.rules.blockers import Code, Wait
from services.lottery.draw.rules.states import DrawState
from shared.campaign import Campaign

StepName = Literal["window", "paper", "freeze", "manifest", "objection", "dice", "beacon", "draw", "notices"]

BLOCKING: Final[Mapping[Code, StepName]] = {
    "receipts": "freeze",
    "undecided": "freeze",
    "unknown-entries": "freeze",
    "held": "freeze",
    "search": "freeze",
    "freeze": "freeze",
    "round-passed": "freeze",
    "clock": "freeze",
    "revoked-key": "manifest",
    "dice": "dice",
    "later-round": "dice",
    "beacon": "beacon",
}
"""The step that each missing thing holds up. All other waits end by themselves, at times that the steps show."""


class StepState(StrEnum):
    """State of a step of the timeline."""

    DONE = "done"
    NOW = "now"
    """The step goes on by itself."""
    WAITING = "waiting"
    """The step is due and something is missing, which `waits` names."""
    LATER = "later"


@dataclass(frozen=True)
class TimelineStep:
    """Step of the timeline. `at`: when it happened or is planned; `until`: when it ends, for a step with a length."""

    name: StepName
    state: StepState
    at: datetime | None = None
    until: datetime | None = None
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True)
class DrawFacts:
    """State of a draw and its sources of randomness: the campaign's while the list is open, then the manifest's."""

    state: DrawState
    uses_dice: bool
    beacon_at: datetime | None = None
    """Time of the beacon's round; None if this draw has not chosen its round yet."""
    has_objections: bool = False
    """True if there is time for objections between freeze and randomness."""
    frozen_at: datetime | None = None
    objections_until: datetime | None = None
    given: Mapping[str, datetime] = field(default_factory=dict)
    """When each source (`dice`, `beacon_signature`) was entered."""
    drawn_at: datetime | None = None
    all_notified: bool = False
    """True if the notifier counted all results and no applicant is left to tell."""

    def reached(self, state: DrawState) -> bool:
        """Return True if the draw is in `state` or past it."""
        return self.state.reached(state)


def timeline(campaign: Campaign, facts: DrawFacts, waits: Sequence[Wait], now: datetime) -> tuple[TimelineStep, ...]:
    """Return the steps of this draw in the order in which they happen."""
    window = campaign.window
    steps: list[TimelineStep] = [_span("window", window.opens, window.closes, now)]
    if window.paper_until > window.closes:
        steps.append(_span("paper", window.closes, window.paper_until, now))
    steps.append(_freeze(campaign, facts, waits))
    steps.append(_manifest(facts, waits))
    if facts.has_objections:
        steps.append(_objection(facts, waits))
    if facts.uses_dice:
        steps.append(_source("dice", facts, waits, facts.given.get("dice"), facts.objections_until))
    steps.append(_source("beacon", facts, waits, facts.given.get("beacon_signature"), facts.beacon_at))
    steps.append(_draw(facts, waits))
    steps.append(TimelineStep("notices", _notices(facts), until=campaign.notify_by))
    return tuple(steps)


def current(steps: Sequence[TimelineStep]) -> TimelineStep | None:
    """Return the first step that is not done, or None when all are done."""
    return next((step for step in steps if step.state is not StepState.DONE), None)


def _manifest(facts: DrawFacts, waits: Sequence[Wait]) -> TimelineStep:
    if not facts.reached(DrawState.FROZEN):
        return TimelineStep("manifest", StepState.LATER)
    holding = _holding("manifest", waits)
    return TimelineStep("manifest", StepState.WAITING if holding else StepState.DONE, facts.frozen_at, waits=holding)


def _span(name: StepName, starts: datetime, ends: datetime, now: datetime) -> TimelineStep:
    state = StepState.LATER if now < starts else StepState.NOW if now < ends else StepState.DONE
    return TimelineStep(name, state, starts, ends)


def _holding(name: StepName, waits: Sequence[Wait]) -> tuple[Wait, ...]:
    return tuple(wait for wait in waits if BLOCKING.get(wait.code) == name)


def _is_waited_for(code: Code, waits: Sequence[Wait]) -> bool:
    return any(wait.code == code for wait in waits)


def _freeze(campaign: Campaign, facts: DrawFacts, waits: Sequence[Wait]) -> TimelineStep:
    """Return the freeze. It names gaps after the grace period, while there is time to close them."""
    if facts.reached(DrawState.FROZEN):
        return TimelineStep("freeze", StepState.DONE, facts.frozen_at)
    if facts.state is not DrawState.OPEN:
        return TimelineStep("freeze", StepState.NOW, campaign.draw.at)
    gaps = () if _is_waited_for("paper", waits) else _holding("freeze", waits)
    if _is_waited_for("paper", waits) or _is_waited_for("draw-time", waits):
        return TimelineStep("freeze", StepState.LATER, campaign.draw.at, waits=gaps)
    return TimelineStep("freeze", StepState.WAITING if gaps else StepState.NOW, campaign.draw.at, waits=gaps)


def _may_have_randomness(facts: DrawFacts, waits: Sequence[Wait]) -> bool:
    return facts.reached(DrawState.FROZEN) and not _is_waited_for("objections", waits)


def _objection(facts: DrawFacts, waits: Sequence[Wait]) -> TimelineStep:
    if not facts.reached(DrawState.FROZEN):
        return TimelineStep("objection", StepState.LATER)
    state = StepState.NOW if _is_waited_for("objections", waits) else StepState.DONE
    return TimelineStep("objection", state, facts.frozen_at, facts.objections_until)


def _source(
    name: Literal["dice", "beacon"],
    facts: DrawFacts,
    waits: Sequence[Wait],
    given: datetime | None,
    from_: datetime | None,
) -> TimelineStep:
    """Return dice or beacon: due when objections can no longer be raised, done when entered or drawn."""
    holding = _holding(name, waits)
    if name == "beacon" and _is_waited_for("later-round", waits):
        return TimelineStep(name, StepState.LATER)
    if facts.reached(DrawState.DRAWN) or (_may_have_randomness(facts, waits) and not holding):
        return TimelineStep(name, StepState.DONE, given)
    if not _may_have_randomness(facts, waits):
        return TimelineStep(name, StepState.LATER, from_)
    return TimelineStep(name, StepState.WAITING, waits=holding)


def _draw(facts: DrawFacts, waits: Sequence[Wait]) -> TimelineStep:
    if facts.reached(DrawState.DRAWN):
        return TimelineStep("draw", StepState.DONE, facts.drawn_at)
    missing = _holding("dice", waits) or _holding("beacon", waits)
    runs = _may_have_randomness(facts, waits) and not missing
    return TimelineStep("draw", StepState.NOW if runs else StepState.LATER)


def _notices(facts: DrawFacts) -> StepState:
    if facts.reached(DrawState.PUBLISHED) and facts.all_notified:
        return StepState.DONE
    return StepState.NOW if facts.reached(DrawState.DRAWN) else StepState.LATER
