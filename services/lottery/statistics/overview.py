"""Read what the staff pages show of a draw: its course, its history and earlier draws.

The pages show counts only: none shows an entry together with anything that leads to a person.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from services.lottery.draw.approval_params import approval_params
from services.lottery.draw.clock_check import clock_waits
from services.lottery.draw.key_check import key_waits
from services.lottery.draw.notice_progress import NoticeProgress, NoticeProgressRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.blockers import Readiness, waits
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.given_source import RelayTrouble
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.places.further_seats import FurtherSeats, read_further_seats
from services.lottery.places.history_repository import HistoryRepository, RecordedEvent
from services.lottery.statistics.cache import SingleFlightCache
from services.lottery.statistics.rules.timeline import DrawFacts, TimelineStep, timeline
from shared.approvals import ApprovalKind
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import DrawId
from shared.json_types import JsonObject
from shared.storage import Store, translate_errors

_EVENTS_SHOWN: Final = 100


@dataclass(frozen=True)
class HistoryEvent:
    """One event of the history; `reason` is a code, or empty. `class_id`, `seats` and `actor`: of a moved place."""

    name: str
    at: datetime
    reason: str
    class_id: str | None = None
    seats: int = 0
    actor: str | None = None


@dataclass(frozen=True)
class PastDraw:
    """A draw that was given up, or that a further round continues.

    Its publications stay at the address with its number. `reason`, `actor` and `approval` (its number): of a draw that
    was given up.
    """

    number: int
    has_manifest: bool
    has_transcript: bool
    continued: bool = False
    reason: str = ""
    actor: str = ""
    approval: str = ""


@dataclass(frozen=True)
class Ceremony:
    """State of the witnesses' digits. `roles`: of those who entered theirs; `latest`: last time for the others."""

    witnesses: int
    roles: tuple[str, ...]
    opens: datetime
    latest: datetime
    round_at: datetime
    round: int
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """The state of a draw as staff see it.

    `history`: newest first, as far as a page shows it. `moves`: how many events came after the draw. `extra`: seats
    that corrections added to a class.
    """

    draw: DrawId
    base: DrawId
    """Draw under whose id places and outcomes are stored."""
    number: int
    state: DrawState
    steps: tuple[TimelineStep, ...]
    history: tuple[HistoryEvent, ...]
    moves: int
    extra: Mapping[str, int]
    relay_troubles: tuple[RelayTrouble, ...]
    past: tuple[PastDraw, ...]
    entries: int | None
    """Entries on the frozen list; None while the list is open."""
    manifest_sha256: str | None
    """SHA-256 in hex, which a time stamp must contain; None while the list is open."""
    ceremony: Ceremony | None
    """The witnesses' digits; None in a draw without them, or while the list is open."""
    notices: NoticeProgress | None
    """Counts of the notices; None before the notifier has counted."""
    approval_params: Mapping[ApprovalKind, JsonObject] = field(default_factory=dict)
    """Parameters of approvals for this draw as it is now."""
    further: FurtherSeats | None = None
    """Seats that a further round would draw now; None before the results are published."""
    is_further: bool = False
    """True for a further round."""

    @property
    def has_places(self) -> bool:
        """True once there are places: those of the draws before a further round stand while it is under way."""
        return self.is_further or self.state.reached(DrawState.PUBLISHED)


class DrawOverview:
    """Reads the course of draws; `clock` is the domain's clock."""

    def __init__(self, store: Store, clock: Clock, keys: LotteryKeys) -> None:
        self._store, self._clock, self._keys = store, clock, keys
        self._draws, self._roll = DrawRepository(store), RollRepository(store)
        self._history, self._notices = HistoryRepository(store), NoticeProgressRepository(store)
        self._readiness = SingleFlightCache[Readiness]()
        self._seats = SingleFlightCache[FurtherSeats | None]()

    async def course(self, campaign: Campaign) -> Course:
        """Return the course of the campaign's present draw. Raises StoreUnavailableError."""
        with translate_errors():
            *past, draw = await self._draws.all(campaign.id)
            readiness = await self._readiness_of(campaign, draw)
            clocks = await clock_waits(self._store, draw)
            moved = await self._history.newest(draw.id, _EVENTS_SHOWN)
            notices = await self._notices.find(campaign.id)
            seats = await self._seats_of(campaign, draw)
        now = self._clock.now()
        missing = [*waits(draw, campaign, readiness, now), *clocks, *key_waits(self._keys, draw)]
        facts = replace(_facts(campaign, draw), all_notified=_are_all_notified(draw, notices))
        course = _course(draw, past, moved, timeline(campaign, facts, missing, now), notices)
        params = approval_params(draw, campaign, readiness)
        if seats is not None and seats.obstacle is None:
            params[ApprovalKind.FURTHER_ROUND] = seats.approval_params()
        return replace(course, approval_params=params, further=seats, is_further=draw.further is not None)

    async def _seats_of(self, campaign: Campaign, draw: Draw) -> FurtherSeats | None:
        """Return the seats of a further round, read once for all pages that are shown between two moves of places."""
        key = (draw.id, draw.state, draw.places.changes)
        return await self._seats.get(key, lambda: read_further_seats(self._store, draw, campaign, self._clock.now()))

    async def _readiness_of(self, campaign: Campaign, draw: Draw) -> Readiness | None:
        """Return the readiness of an open list, or None before the grace period ends: then it is incomplete."""
        if draw.state is not DrawState.OPEN or self._clock.now() < campaign.window.paper_until:
            return None
        return await self._readiness.get(draw.id, lambda: self._roll.readiness(campaign.id))


def _course(
    draw: Draw,
    past: Sequence[Draw],
    moved: Sequence[RecordedEvent],
    steps: tuple[TimelineStep, ...],
    notices: NoticeProgress | None,
) -> Course:
    manifest = draw.manifest if draw.has_manifest else None
    return Course(
        draw=draw.id,
        base=draw.base,
        number=draw.number,
        state=draw.state,
        steps=steps,
        history=(*map(_moved_event, moved), *reversed(_history(draw))),
        moves=moved[0].seq if moved else 0,
        extra=draw.places.extra,
        relay_troubles=draw.relay_troubles,
        past=tuple(map(_past, past)),
        entries=None if manifest is None else manifest.rows,
        manifest_sha256=None if manifest is None else hashlib.sha256(manifest.line.encode("utf-8")).hexdigest(),
        ceremony=None if manifest is None or not manifest.uses_dice else _ceremony(draw),
        notices=notices,
    )


def _ceremony(draw: Draw) -> Ceremony:
    manifest = draw.manifest
    return Ceremony(
        witnesses=manifest.witnesses,
        roles=tuple(act["role"] for act in draw.dice_acts),
        opens=manifest.objections_until,
        latest=manifest.dice_rule.latest,
        round_at=manifest.beacon.at,
        round=manifest.beacon.round,
        evidence=draw.dice_evidence,
    )


def _are_all_notified(draw: Draw, notices: NoticeProgress | None) -> bool:
    return draw.has_manifest and notices is not None and notices.is_complete(draw.manifest.rows)


def _facts(campaign: Campaign, draw: Draw) -> DrawFacts:
    return _facts_of_manifest(draw) if draw.has_manifest else _facts_of_campaign(campaign, draw)


def _facts_of_campaign(campaign: Campaign, draw: Draw) -> DrawFacts:
    rule = campaign.draw
    return DrawFacts(
        state=draw.state,
        uses_dice=rule.uses_dice,
        beacon_at=None if rule.chain.round is None else rule.chain.schedule.time_of(rule.chain.round),
        has_objections=rule.objection_hours > 0,
    )


def _facts_of_manifest(draw: Draw) -> DrawFacts:
    manifest, times = draw.manifest, {event.name: event.at for event in _history(draw)}
    return DrawFacts(
        state=draw.state,
        uses_dice=manifest.uses_dice,
        beacon_at=manifest.beacon.at,
        has_objections=manifest.objections_until > manifest.frozen_at,
        frozen_at=manifest.frozen_at,
        objections_until=manifest.objections_until,
        given={source.source: source.at for source in draw.given},
        drawn_at=times.get("drawn"),
    )


def _history(draw: Draw) -> tuple[HistoryEvent, ...]:
    return tuple(
        HistoryEvent(event["event"], datetime.fromisoformat(event["at"]), event["reason"]) for event in draw.history
    )


def _moved_event(recorded: RecordedEvent) -> HistoryEvent:
    event = recorded.event
    at = datetime.fromisoformat(event["at"])
    return HistoryEvent(event["event"], at, event["reason"], event["class"], event["seats"], recorded.actor.actor)


def _past(draw: Draw) -> PastDraw:
    why, has_transcript = draw.given_up, draw.state.reached(DrawState.DRAWN)
    if draw.continued:
        return PastDraw(draw.number, has_manifest=True, has_transcript=has_transcript, continued=True)
    if why is None:
        raise ValueError(f"past draw {draw.id} does not say why it was given up")
    actor, approval = why.staff or (why.actor, why.approved_by)
    return PastDraw(draw.number, draw.has_manifest, has_transcript, reason=why.reason, actor=actor, approval=approval)
