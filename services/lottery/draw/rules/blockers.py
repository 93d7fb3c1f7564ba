"""What a draw waits for, as codes with times and counts: for pages, command line and whoever is on call. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.lottery.draw.rules.states import DrawState
from services.lottery.randomness.rounds import RoundPassed, round_for
from services.lottery.record.manifest import Manifest
from shared.campaign import Campaign, quicknet

Code = Literal[
    "paper", "draw-time", "receipts", "held", "undecided", "freeze", "round-passed", "clock",
    "writing", "objections", "dice", "beacon", "results",
]  # fmt: skip


@dataclass(frozen=True)
class Readiness:
    """What a freeze waits for: `undecided` and `held` applications, and whether the roll of receipts is complete."""

    held: int
    undecided: int
    receipts_closed: bool

    @property
    def complete(self) -> bool:
        return self.receipts_closed and self.held == 0 and self.undecided == 0


@dataclass(frozen=True)
class Wait:
    """`until`: when it ends by itself, None where somebody must act; `count`: how many, digits, seconds, or a round."""

    code: Code
    until: datetime | None = None
    count: int | None = None

    def shown(self) -> dict[str, Any]:
        until = self.until and self.until.isoformat()
        return {name: value for name, value in (("code", self.code), ("until", until), ("count", self.count)) if value}


def waits(draw: Mapping[str, Any], campaign: Campaign, readiness: Readiness | None, now: datetime) -> list[Wait]:
    """`readiness` for an open draw only. Nothing is waited for once the results have been said, or all is to go."""
    if "erasure" in draw and draw["state"] in {DrawState.OPEN, DrawState.FROZEN}:
        return []
    match draw["state"]:
        case DrawState.OPEN:
            return list(_open(draw, campaign, readiness, now))
        case DrawState.FREEZING:
            return [Wait("writing")]
        case DrawState.FROZEN:
            return list(_frozen(draw, now))
        case DrawState.DRAWN:
            return [Wait("results", count=int(draw.get("parts_said", 0)))]
        case _:
            return []


def _open(draw: Mapping[str, Any], campaign: Campaign, readiness: Readiness | None, now: datetime) -> Iterator[Wait]:
    if now < campaign.window.paper_until:
        yield Wait("paper", until=campaign.window.paper_until)
    if draw["number"] == 1 and now < campaign.draw.at:
        yield Wait("draw-time", until=campaign.draw.at)
    if readiness is not None and not readiness.receipts_closed:
        yield Wait("receipts")
    if readiness is not None and readiness.held:
        yield Wait("held", count=readiness.held)
    if readiness is not None and readiness.undecided:
        yield Wait("undecided", count=readiness.undecided)
    if readiness is not None and readiness.complete and draw["number"] > 1:
        yield Wait("freeze")  # a list that was opened again is frozen by a person, who knows that it is right now
    try:
        round_for(campaign, draw["number"], now)
    except RoundPassed as passed:
        yield Wait("round-passed", count=passed.round)


def _frozen(draw: Mapping[str, Any], now: datetime) -> Iterator[Wait]:
    manifest = Manifest.read(draw["manifest"])
    if now < manifest.objections_until:
        yield Wait("objections", until=manifest.objections_until)
    if manifest.dice_digits is not None and "dice" not in draw:
        yield Wait("dice", count=manifest.dice_digits)
    if manifest.beacon is not None and "beacon_signature" not in draw:
        yield Wait("beacon", until=quicknet.time_of(manifest.beacon.round), count=manifest.beacon.round)
