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
from services.lottery.randomness import BeaconRound
from services.lottery.readiness import Readiness
from services.lottery.redrawing import all_draws
from services.lottery.remembering import Remembered
from services.lottery.states import DrawState
from services.lottery.timeline import Facts, Step, timeline
from services.lottery.waiting import waits
from shared.campaign import Campaign, quicknet
from shared.campaign.model import Beacon
from shared.clock import Clock
from shared.storage import Store, StoreUnavailable, translated


@dataclass(frozen=True)
class Event:
    """One line of the history; `reason` is a code, or empty."""

    name: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Past:
    """A draw that was given up; what it published stays at its number."""

    number: int
    reason: str
    actor: str
    approved_by: str
    has_transcript: bool


@dataclass(frozen=True)
class Course:
    """Where a draw is. `history`: oldest first; `relay_troubles`: (relay, code) as last seen."""

    draw: str
    number: int
    state: DrawState
    steps: tuple[Step, ...]
    history: tuple[Event, ...]
    relay_troubles: tuple[tuple[str, str], ...]
    past: tuple[Past, ...]
    entries: int | None
    """On the frozen list; None while it is open."""
    digits: int | None
    """Dice that this draw needs; None where it uses none, or has no manifest yet."""
    witnesses: int

    def reached(self, state: DrawState) -> bool:
        order = list(DrawState)
        return order.index(self.state) >= order.index(state)


class DrawOverview:
    """`clock` is the domain's."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._readiness = Remembered[Readiness]()
        self._demand = Remembered[tuple[ClassDemand, ...]]()
        self._results = Remembered[tuple[ClassResult, ...]]()

    async def course(self, campaign: Campaign) -> Course:
        """Raises StoreUnavailable."""
        with translated():
            *past, draw = await all_draws(self._store, campaign.id)
            readiness = await self._judged(campaign, draw)
        now, manifest = self._clock.now(), _manifest(draw)
        return Course(
            draw=draw["draw"],
            number=draw["number"],
            state=DrawState(draw["state"]),
            steps=timeline(campaign, _facts(campaign, draw), waits(draw, campaign, readiness, now), now),
            history=_history(draw),
            relay_troubles=tuple((each["relay"], each["trouble"]) for each in draw.get("relay_troubles", ())),
            past=tuple(_past(each) for each in past),
            entries=None if manifest is None else manifest.rows,
            digits=None if manifest is None else manifest.dice_digits,
            witnesses=campaign.draw.witnesses if manifest is None else manifest.witnesses,
        )

    async def demand(self, campaign: Campaign, course: Course) -> tuple[ClassDemand, ...] | None:
        """None where counting takes longer than the database is given: try again when the list is frozen."""

        async def count() -> tuple[ClassDemand, ...]:
            found = self._store.db[ledger.ENTRIES].aggregate(_asked(campaign.id))
            asked = [Asked(**line["_id"], entries=line["entries"]) async for line in found]
            return demand(_capacities(campaign), asked)

        try:
            with translated():
                return await self._demand.get((course.draw, course.state), count)
        except StoreUnavailable:
            return None

    async def results(self, campaign: Campaign, course: Course) -> tuple[ClassResult, ...] | None:
        """As far as results have been said; None before the draw, and where counting takes too long."""
        if not course.reached(DrawState.DRAWN):
            return None

        async def count() -> tuple[ClassResult, ...]:
            found = self._store.db[ledger.OUTCOMES].aggregate(_came(course.draw))
            came = [Came(**line["_id"], entries=line["entries"], seats=line["seats"]) async for line in found]
            return results(_capacities(campaign), came)

        try:
            with translated():
                return await self._results.get((course.draw, course.state), count)
        except StoreUnavailable:
            return None

    async def _judged(self, campaign: Campaign, draw: Mapping[str, Any]) -> Readiness | None:
        """Only once the grace period is over; before that more is to come anyway."""
        if draw["state"] != DrawState.OPEN or self._clock.now() < campaign.window.paper_until:
            return None
        return await self._readiness.get(draw["draw"], lambda: judging.readiness(self._store, campaign.id))


def _facts(campaign: Campaign, draw: Mapping[str, Any]) -> Facts:
    rule, manifest = campaign.draw, _manifest(draw)
    happened = {event.name: event.at for event in _history(draw)}
    if manifest is None:
        return Facts(
            state=DrawState(draw["state"]),
            uses_dice=rule.source in {"dice", "both"},
            uses_beacon=rule.beacon is not None,
            beacon_at=_time_of(rule.beacon),
            has_objections=rule.objection_hours > 0,
        )
    return Facts(
        state=DrawState(draw["state"]),
        uses_dice=manifest.dice_digits is not None,
        uses_beacon=manifest.beacon is not None,
        beacon_at=_time_of(manifest.beacon),
        has_objections=manifest.objections_until > manifest.frozen_at,
        frozen_at=manifest.frozen_at,
        objections_until=manifest.objections_until,
        given={each["source"]: datetime.fromisoformat(each["at"]) for each in draw.get("given", ())},
        drawn_at=happened.get("drawn"),
    )


def _time_of(beacon: Beacon | BeaconRound | None) -> datetime | None:
    return None if beacon is None else quicknet.time_of(beacon.round)


def _manifest(draw: Mapping[str, Any]) -> Manifest | None:
    return Manifest.read(draw["manifest"]) if "manifest" in draw else None


def _history(draw: Mapping[str, Any]) -> tuple[Event, ...]:
    return tuple(
        Event(line["event"], datetime.fromisoformat(line["at"]), line["reason"]) for line in draw.get("history", ())
    )


def _past(draw: Mapping[str, Any]) -> Past:
    why = draw["given_up"]
    return Past(draw["number"], why["reason"], why["actor"], why["approved_by"], DrawState(draw["state"]) in _DRAWN)


_DRAWN = frozenset({DrawState.DRAWN, DrawState.PUBLISHED})


def _capacities(campaign: Campaign) -> dict[str, int]:
    return {each.id: each.capacity for each in campaign.classes}


def _asked(campaign: str) -> list[dict[str, Any]]:
    of = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
    return [
        {"$match": {"campaign": campaign, "state": "accepted"}},
        {"$unwind": "$choices"},
        {"$group": {"_id": of, "entries": {"$sum": 1}}},
    ]


def _came(draw: str) -> list[dict[str, Any]]:
    of = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome"}
    return [
        {"$match": {"draw": draw}},
        {"$unwind": "$outcomes"},
        {"$group": {"_id": of, "entries": {"$sum": 1}, "seats": {"$sum": "$outcomes.seats"}}},
    ]
