"""List what a draw waits for, as codes with times and counts, for pages, command line and operators. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.randomness.rounds import RoundPassedError, choose_round
from shared.campaign import Campaign

Code = Literal[
    "paper", "draw-time", "receipts", "held", "undecided", "unknown-entries", "search", "freeze", "round-passed",
    "clock", "writing", "revoked-key", "objections", "dice", "later-round", "beacon", "results",
]  # fmt: skip


LaterRoundReason = Literal["round-known", "digits-missing"]
"""Why a draw is given up for a later round, as the next manifest says it in `previous`."""


@dataclass(frozen=True)
class Readiness:
    """Describe what a freeze waits for: `held` and `undecided` applications, and the complete roll of receipts.

    `undecided`: receipts of the roll without a verdict on their last version; `outdated`: those of them that have a
    verdict on another version.

    `unknown_entries`: entries that are not on the complete roll; 0 while the roll is not complete. Such an entry has no
    receipt, so it may be invented; no override permits it.

    `searched`: False if nothing else is missing and the vault has not compared all these applications with each other.
    """

    held: int
    undecided: int
    receipts_closed: bool
    unknown_entries: int = 0
    outdated: int = 0
    searched: bool = True

    @property
    def complete(self) -> bool:
        """True when the list can be frozen without an override."""
        gaps = self.held or self.undecided or self.unknown_entries
        return self.receipts_closed and self.searched and not gaps


@dataclass(frozen=True)
class Wait:
    """Something that a draw waits for.

    `until`: when the wait ends by itself, None if staff must act. `count`: how many applications, digits or seconds, or
    the number of a round.
    """

    code: Code
    until: datetime | None = None
    count: int | None = None

    def to_json(self) -> Mapping[str, str | int]:
        """Return the members that have a value."""
        until = self.until.isoformat() if self.until else None
        members = {"code": self.code, "until": until, "count": self.count}
        return {name: value for name, value in members.items() if value}


def waits(draw: Draw, campaign: Campaign, readiness: Readiness | None, now: datetime) -> list[Wait]:
    """Return what the draw waits for; `readiness` is known for an open draw only.

    A draw waits for nothing after its results are published, or when an erasure stops it.
    """
    if draw.is_erasing and draw.state in {DrawState.OPEN, DrawState.FROZEN}:
        return []
    match draw.state:
        case DrawState.OPEN:
            return list(_open(draw, campaign, readiness, now))
        case DrawState.FREEZING:
            return [Wait("writing")]
        case DrawState.FROZEN:
            return list(_frozen(draw, now))
        case DrawState.DRAWN:
            return [Wait("results", count=draw.parts_published)]
        case DrawState.PUBLISHED:
            return []


def later_round_reason(draw: Draw, campaign: Campaign, now: datetime) -> LaterRoundReason | None:
    """Return why this draw cannot take place and needs a later round; None where it can."""
    if draw.is_erasing:
        return None
    if draw.state is DrawState.FROZEN:
        return "digits-missing" if draw.lacks_dice and now >= draw.manifest.beacon.at else None
    if draw.state is not DrawState.OPEN or now < campaign.draw.at:
        return None
    try:
        choose_round(campaign, draw.number, now)
    except RoundPassedError:
        return "round-known"
    return None


def _open(draw: Draw, campaign: Campaign, readiness: Readiness | None, now: datetime) -> Iterator[Wait]:
    if now < campaign.window.paper_until:
        yield Wait("paper", until=campaign.window.paper_until)
    if draw.number == 1 and now < campaign.draw.at:
        yield Wait("draw-time", until=campaign.draw.at)
    if readiness is not None:
        yield from _gaps(draw, readiness)
    try:
        choose_round(campaign, draw.number, now)
    except RoundPassedError as passed:
        yield Wait("round-passed", count=passed.round)


def _gaps(draw: Draw, readiness: Readiness) -> Iterator[Wait]:
    if not readiness.receipts_closed:
        yield Wait("receipts")
    if readiness.held:
        yield Wait("held", count=readiness.held)
    if readiness.undecided:
        yield Wait("undecided", count=readiness.undecided)
    if readiness.unknown_entries:
        yield Wait("unknown-entries", count=readiness.unknown_entries)
    if not readiness.searched:
        yield Wait("search")
    if readiness.complete and draw.number > 1:
        yield Wait("freeze")  # staff freeze a list that they opened again, because only they know when it is right


def _frozen(draw: Draw, now: datetime) -> Iterator[Wait]:
    manifest = draw.manifest
    if now < manifest.objections_until:
        yield Wait("objections", until=manifest.objections_until)
    if draw.lacks_dice:
        missing = manifest.witnesses - len(draw.dice_acts)
        if now >= manifest.beacon.at:
            yield Wait("later-round", count=missing)
            return
        yield Wait("dice", until=manifest.dice_rule.latest, count=missing)
    if draw.beacon_signature is None:
        yield Wait("beacon", until=manifest.beacon.at, count=manifest.beacon.round)
