"""What the staff pages show of a draw, read from the lottery's own database: its course, demand, results, history.

Counts only: no page of the lottery shows an entry together with anything that leads to a person.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from services.lottery import ledger
from services.lottery import readiness as judging
from services.lottery.clocks import clock_waits
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
from shared.storage import Store, translated

T = TypeVar("T")

_AT_ONCE: Final = 200_000
_PATIENCE_S: Final = 2.0


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
    manifest_sha256: str | None
    """Hex; what a time stamp has to speak of."""
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
            clocks = await clock_waits(self._store, draw)
        now, manifest = self._clock.now(), _manifest(draw)
        missing = [*waits(draw, campaign, readiness, now), *clocks]
        return Course(
            draw=draw["draw"],
            number=draw["number"],
            state=DrawState(draw["state"]),
            steps=timeline(campaign, _facts(campaign, draw), missing, now),
            history=_history(draw),
            relay_troubles=tuple((each["relay"], each["trouble"]) for each in draw.get("relay_troubles", ())),
            past=tuple(_past(each) for each in past),
            entries=None if manifest is None else manifest.rows,
            manifest_sha256=None if manifest is None else hashlib.sha256(manifest.line.encode("utf-8")).hexdigest(),
            digits=None if manifest is None else manifest.dice_digits,
            witnesses=campaign.draw.witnesses if manifest is None else manifest.witnesses,
        )

    async def demand(self, campaign: Campaign, course: Course) -> tuple[ClassDemand, ...] | None:
        """None while a long list is still being counted: ask again."""

        async def count() -> tuple[ClassDemand, ...]:
            wanted = {"campaign": campaign.id, "state": "accepted"}
            of = {"class_id": "$choices.class_id", "channel": "$channel", "seats": "$choices.seats"}
            found = self._counted(ledger.ENTRIES, wanted, "choices", of)
            return demand(_capacities(campaign), [Asked(**key, entries=entries) async for key, entries, _ in found])

        return await _soon(self._demand.get((course.draw, course.state), count))

    async def results(self, campaign: Campaign, course: Course) -> tuple[ClassResult, ...] | None:
        """As far as results have been said; None before the draw, and while they are still being counted."""
        if not course.reached(DrawState.DRAWN):
            return None

        async def count() -> tuple[ClassResult, ...]:
            of = {"class_id": "$outcomes.class_id", "outcome": "$outcomes.outcome"}
            found = self._counted(ledger.OUTCOMES, {"draw": course.draw}, "outcomes", of)
            return results(
                _capacities(campaign), [Came(**key, entries=n, seats=seats) async for key, n, seats in found]
            )

        return await _soon(self._results.get((course.draw, course.state), count))

    async def _counted(
        self, collection: str, wanted: Mapping[str, Any], part: str, of: Mapping[str, str]
    ) -> AsyncIterator[tuple[dict[str, Any], int, int]]:
        """Members of the list `part`, grouped by `of`: how many, and their seats.

        Piece by piece: the whole could take longer than an answer of the database may.
        """
        last = ""
        while True:
            group = {
                "_id": of,
                "count": {"$sum": 1},
                "seats": {"$sum": f"${part}.seats"},
                "last": {"$max": "$_id"},
            }
            pipeline: list[dict[str, Any]] = [
                {"$match": {**wanted, "_id": {"$gt": last}}},
                {"$sort": {"_id": 1}},
                {"$limit": _AT_ONCE},
                {"$unwind": {"path": f"${part}", "preserveNullAndEmptyArrays": True}},
                {"$group": group},
            ]
            lines = await self._store.db[collection].aggregate(pipeline).to_list(None)
            if not lines:
                return
            for line in (each for each in lines if "class_id" in each["_id"]):
                yield line["_id"], line["count"], line["seats"]
            last = max(line["last"] for line in lines)

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


async def _soon(counting: Awaitable[T]) -> T | None:
    """What is counted, if that does not take long; the counting goes on meanwhile. Raises StoreUnavailable."""
    with translated():
        try:
            return await asyncio.wait_for(counting, _PATIENCE_S)
        except TimeoutError:
            return None
