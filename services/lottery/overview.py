"""What the staff pages show of a draw, read from the lottery's own database: its course, demand, results, history.

Counts only: no page of the lottery shows an entry together with anything that leads to a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.lottery import ledger
from services.lottery import readiness as judging
from services.lottery.demand import Asked, Came, ClassDemand, ClassResult, demand, results
from services.lottery.manifest import Manifest
from services.lottery.readiness import Readiness
from services.lottery.remembering import Remembered
from services.lottery.states import DrawState
from services.lottery.steps import draw_of
from services.lottery.timeline import Facts, Step, timeline
from shared.campaign import Campaign, quicknet
from shared.clock import Clock
from shared.storage import Store, StoreUnavailable, translated


@dataclass(frozen=True)
class Event:
    """One line of the history; `reason` is a code, or empty."""

    name: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Course:
    """Where a draw is. `history`: oldest first."""

    draw: str
    number: int
    facts: Facts
    steps: tuple[Step, ...]
    history: tuple[Event, ...]
    entries: int | None
    """On the frozen list; None while it is open."""


class DrawOverview:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._readiness = Remembered[Readiness]()
        self._demand = Remembered[tuple[ClassDemand, ...]]()
        self._results = Remembered[tuple[ClassResult, ...]]()

    async def course(self, campaign: Campaign) -> Course:
        """Raises StoreUnavailable."""
        with translated():
            draw = await draw_of(self._store, campaign.id)
            facts = await self._facts(campaign, draw)
        manifest = _manifest(draw)
        return Course(
            draw=draw["draw"],
            number=draw["number"],
            facts=facts,
            steps=timeline(campaign, facts, self._clock.now()),
            history=_history(draw),
            entries=None if manifest is None else manifest.rows,
        )

    async def demand(self, campaign: Campaign, course: Course) -> tuple[ClassDemand, ...] | None:
        """None where counting takes longer than the database is given: try again when the list is frozen."""

        async def count() -> tuple[ClassDemand, ...]:
            found = self._store.db[ledger.ENTRIES].aggregate(_asked(campaign.id))
            asked = [Asked(**line["_id"], entries=line["entries"]) async for line in found]
            return demand(_capacities(campaign), asked)

        try:
            with translated():
                return await self._demand.get((course.draw, course.facts.state), count)
        except StoreUnavailable:
            return None

    async def results(self, campaign: Campaign, course: Course) -> tuple[ClassResult, ...] | None:
        """As far as results have been said; None before the draw, and where counting takes too long."""
        if not course.facts.reached(DrawState.DRAWN):
            return None

        async def count() -> tuple[ClassResult, ...]:
            found = self._store.db[ledger.OUTCOMES].aggregate(_came(campaign.id))
            came = [Came(**line["_id"], entries=line["entries"], seats=line["seats"]) async for line in found]
            return results(_capacities(campaign), came)

        try:
            with translated():
                return await self._results.get((course.draw, course.facts.state), count)
        except StoreUnavailable:
            return None

    async def _facts(self, campaign: Campaign, draw: Mapping[str, Any]) -> Facts:
        state, manifest, rule = DrawState(draw["state"]), _manifest(draw), campaign.draw
        happened = {event.name: event.at for event in _history(draw)}
        gaps = await self._gaps(campaign, draw) if state is DrawState.OPEN else Readiness(0, 0, receipts_closed=True)
        beacon = rule.beacon if manifest is None else manifest.beacon
        return Facts(
            state=state,
            uses_dice=rule.source in {"dice", "both"} if manifest is None else manifest.dice_digits is not None,
            beacon_at=None if beacon is None else quicknet.time_of(beacon.round),
            held=gaps.held,
            undecided=gaps.undecided,
            receipts_closed=gaps.receipts_closed,
            frozen_at=None if manifest is None else manifest.frozen_at,
            dice_given="dice" in draw,
            beacon_given="beacon_signature" in draw,
            drawn_at=happened.get("drawn"),
        )

    async def _gaps(self, campaign: Campaign, draw: Mapping[str, Any]) -> Readiness:
        """Only once the grace period is over; before that more is to come anyway."""
        if self._clock.now() < campaign.window.paper_until:
            return Readiness(0, 0, receipts_closed=False)
        return await self._readiness.get(draw["draw"], lambda: judging.readiness(self._store, campaign.id))


def _manifest(draw: Mapping[str, Any]) -> Manifest | None:
    return Manifest.read(draw["manifest"]) if "manifest" in draw else None


def _history(draw: Mapping[str, Any]) -> tuple[Event, ...]:
    return tuple(
        Event(line["event"], datetime.fromisoformat(line["at"]), line["reason"]) for line in draw.get("history", ())
    )


def _capacities(campaign: Campaign) -> dict[str, int]:
    return {each.id: each.capacity for each in campaign.classes}


def _asked(campaign: str) -> list[dict[str, Any]]:
    of = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
    return [
        {"$match": {"campaign": campaign, "state": "accepted"}},
        {"$unwind": "$choices"},
        {"$group": {"_id": of, "entries": {"$sum": 1}}},
    ]


def _came(campaign: str) -> list[dict[str, Any]]:
    of = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome"}
    return [
        {"$match": {"campaign": campaign}},
        {"$unwind": "$outcomes"},
        {"$group": {"_id": of, "entries": {"$sum": 1}, "seats": {"$sum": "$outcomes.seats"}}},
    ]
