"""The course of a campaign's draw as staff see it: each step, whether it is done, and what it waits for. Pure.

Waits are codes, the same everywhere a draw says what it waits for; pages put them into words.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from services.lottery.states import DrawState
from shared.campaign import Campaign

StepName = Literal["window", "paper", "freeze", "manifest", "objection", "dice", "beacon", "draw", "notices"]
WaitCode = Literal["receipts", "undecided", "held", "dice", "beacon-round", "beacon"]


class StepState(StrEnum):
    DONE = "done"
    NOW = "now"
    """Goes on by itself."""
    WAITING = "waiting"
    """Due, and something or somebody is missing; `waits` says what."""
    LATER = "later"


@dataclass(frozen=True)
class Wait:
    """What is missing: how many of it, or the time from which it can be there."""

    code: WaitCode
    count: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Step:
    """`at`: when it happened or is planned; `until`: when it ends, for what has a length."""

    name: StepName
    state: StepState
    at: datetime | None = None
    until: datetime | None = None
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Where a draw is. The list's gaps count while it is open; sources are the campaign's, or the manifest's if any."""

    state: DrawState
    uses_dice: bool
    beacon_at: datetime | None = None
    """When the beacon's round comes; None where this draw uses no beacon."""
    held: int = 0
    undecided: int = 0
    receipts_closed: bool = False
    frozen_at: datetime | None = None
    objections_until: datetime | None = None
    has_objections: bool = False
    """Whether the campaign leaves time for objections between freeze and chance."""
    dice_given: bool = False
    beacon_given: bool = False
    drawn_at: datetime | None = None

    def reached(self, state: DrawState) -> bool:
        order = list(DrawState)
        return order.index(self.state) >= order.index(state)

    @property
    def gaps(self) -> tuple[Wait, ...]:
        """What keeps the list from being frozen."""
        unclosed = () if self.receipts_closed else (Wait("receipts"),)
        counted: tuple[tuple[WaitCode, int], ...] = (("undecided", self.undecided), ("held", self.held))
        return (*unclosed, *(Wait(code, count) for code, count in counted if count))

    @property
    def chance_complete(self) -> bool:
        return (self.dice_given or not self.uses_dice) and (self.beacon_given or self.beacon_at is None)


def timeline(campaign: Campaign, facts: Facts, now: datetime) -> tuple[Step, ...]:
    """The steps in the order in which they happen; those that this draw does not have are left out."""
    window, frozen = campaign.window, facts.reached(DrawState.FROZEN)
    steps: list[Step] = [_span("window", window.opens, window.closes, now)]
    if window.paper_until > window.closes:
        steps.append(_span("paper", window.closes, window.paper_until, now))
    steps.append(_freeze(campaign, facts, now))
    steps.append(Step("manifest", StepState.DONE if frozen else StepState.LATER, facts.frozen_at))
    if facts.has_objections:
        steps.append(_objection(facts, now))
    if facts.uses_dice:
        steps.append(_dice(facts, now))
    if facts.beacon_at is not None:
        steps.append(_beacon(facts, facts.beacon_at, now))
    steps.append(_draw(facts, now))
    steps.append(Step("notices", _notices(facts), until=campaign.notify_by))
    return tuple(steps)


def current(steps: tuple[Step, ...]) -> Step | None:
    """The step at which everything is: the first that is not done. None when all is done."""
    return next((step for step in steps if step.state is not StepState.DONE), None)


def _span(name: StepName, starts: datetime, ends: datetime, now: datetime) -> Step:
    state = StepState.LATER if now < starts else StepState.NOW if now < ends else StepState.DONE
    return Step(name, state, starts, ends)


def _freeze(campaign: Campaign, facts: Facts, now: datetime) -> Step:
    """Gaps are shown from the end of the grace period on: there is time to close them before the list is due."""
    if facts.reached(DrawState.FROZEN):
        return Step("freeze", StepState.DONE, facts.frozen_at)
    at = campaign.draw.at
    waits = facts.gaps if facts.state is DrawState.OPEN and now >= campaign.window.paper_until else ()
    if now < at and facts.state is DrawState.OPEN:
        return Step("freeze", StepState.LATER, at, waits=waits)
    return Step("freeze", StepState.WAITING if waits else StepState.NOW, at, waits=waits)


def _objecting(facts: Facts, now: datetime) -> bool:
    return facts.objections_until is not None and now < facts.objections_until


def _objection(facts: Facts, now: datetime) -> Step:
    if not facts.reached(DrawState.FROZEN):
        return Step("objection", StepState.LATER)
    state = StepState.NOW if _objecting(facts, now) else StepState.DONE
    return Step("objection", state, facts.frozen_at, facts.objections_until)


def _dice(facts: Facts, now: datetime) -> Step:
    if facts.dice_given:
        return Step("dice", StepState.DONE)
    if not facts.reached(DrawState.FROZEN) or _objecting(facts, now):
        return Step("dice", StepState.LATER, facts.objections_until)
    return Step("dice", StepState.WAITING, waits=(Wait("dice"),))


def _beacon(facts: Facts, round_at: datetime, now: datetime) -> Step:
    if facts.beacon_given:
        return Step("beacon", StepState.DONE, round_at)
    if not facts.reached(DrawState.FROZEN) or _objecting(facts, now):
        return Step("beacon", StepState.LATER, round_at)
    wait = Wait("beacon-round", at=round_at) if now < round_at else Wait("beacon")
    return Step("beacon", StepState.WAITING, round_at, waits=(wait,))


def _draw(facts: Facts, now: datetime) -> Step:
    if facts.reached(DrawState.DRAWN):
        return Step("draw", StepState.DONE, facts.drawn_at)
    ready = facts.reached(DrawState.FROZEN) and not _objecting(facts, now) and facts.chance_complete
    return Step("draw", StepState.NOW if ready else StepState.LATER)


def _notices(facts: Facts) -> StepState:
    if facts.reached(DrawState.PUBLISHED):
        return StepState.DONE
    return StepState.NOW if facts.reached(DrawState.DRAWN) else StepState.LATER
