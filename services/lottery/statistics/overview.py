"""What the staff pages show of a draw, read from the lottery's own database: its course, its history, earlier ones.

Counts only: no page of the lottery shows an entry together with anything that leads to a person.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.draw import readiness as judging
from services.lottery.draw.clock_check import clock_waits
from services.lottery.draw.redraw import all_draws
from services.lottery.draw.rules.blockers import Readiness, waits
from services.lottery.draw.rules.states import DrawState
from services.lottery.places.repository import HISTORY
from services.lottery.randomness.sources import BeaconRound
from services.lottery.record.manifest import Manifest
from services.lottery.statistics.cache import Remembered
from services.lottery.statistics.rules.timeline import Facts, Step, timeline
from shared.campaign import Campaign, quicknet
from shared.campaign.model import Beacon
from shared.clock import Clock
from shared.storage import Store, translated

_EVENTS_SHOWN: Final = 100


@dataclass(frozen=True)
class Event:
    """One line of the history; `reason` is a code, or empty. `class_id` and `by` of what moved a place."""

    name: str
    at: datetime
    reason: str
    class_id: str | None = None
    seats: int = 0
    by: str | None = None


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
    """Where a draw is. `history`: newest first, as far as a page shows it; `moves`: how many came after the draw.

    `relay_troubles`: (relay, code) as last seen; `extra`: seats that corrections added to a class.
    """

    draw: str
    number: int
    state: DrawState
    steps: tuple[Step, ...]
    history: tuple[Event, ...]
    moves: int
    extra: Mapping[str, int]
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

    async def course(self, campaign: Campaign) -> Course:
        """Raises StoreUnavailable."""
        with translated():
            *past, draw = await all_draws(self._store, campaign.id)
            readiness = await self._judged(campaign, draw)
            clocks = await clock_waits(self._store, draw)
            moved = await self._moved(draw["draw"])
        now, manifest = self._clock.now(), _manifest(draw)
        missing = [*waits(draw, campaign, readiness, now), *clocks]
        return Course(
            draw=draw["draw"],
            number=draw["number"],
            state=DrawState(draw["state"]),
            steps=timeline(campaign, _facts(campaign, draw), missing, now),
            history=(*map(_move, moved), *reversed(_history(draw))),
            moves=moved[0]["seq"] if moved else 0,
            extra=draw.get("places", {}).get("extra", {}),
            relay_troubles=tuple((each["relay"], each["trouble"]) for each in draw.get("relay_troubles", ())),
            past=tuple(_past(each) for each in past),
            entries=None if manifest is None else manifest.rows,
            manifest_sha256=None if manifest is None else hashlib.sha256(manifest.line.encode("utf-8")).hexdigest(),
            digits=None if manifest is None else manifest.dice_digits,
            witnesses=campaign.draw.witnesses if manifest is None else manifest.witnesses,
        )

    async def _judged(self, campaign: Campaign, draw: Mapping[str, Any]) -> Readiness | None:
        """Only once the grace period is over; before that more is to come anyway."""
        if draw["state"] != DrawState.OPEN or self._clock.now() < campaign.window.paper_until:
            return None
        return await self._readiness.get(draw["draw"], lambda: judging.readiness(self._store, campaign.id))

    async def _moved(self, draw: str) -> list[dict[str, Any]]:
        found = self._store.db[HISTORY].find({"draw": draw}).sort("seq", -1).limit(_EVENTS_SHOWN)
        lines: list[dict[str, Any]] = await found.to_list(None)
        return lines


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


def _move(line: Mapping[str, Any]) -> Event:
    event = line["event"]
    at = datetime.fromisoformat(event["at"])
    return Event(event["event"], at, event["reason"], event["class"], event["seats"], line["actor"])


def _past(draw: Mapping[str, Any]) -> Past:
    why = draw["given_up"]
    return Past(draw["number"], why["reason"], why["actor"], why["approved_by"], DrawState(draw["state"]) in _DRAWN)


_DRAWN = frozenset({DrawState.DRAWN, DrawState.PUBLISHED})
