"""Promotion of waiting entries to freed seats, and expiry of offers. Run by the scheduler.

It runs only if places moved since the last run, or if a time has come: the end of an offer, or the time until which a
group holds seats.
"""

from datetime import datetime
from typing import Final

from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.places import notices
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import Actor
from services.lottery.promotion.states import Move
from services.lottery.promotion.waiting_list import PlaceEvent, WaitingLists
from services.lottery.slips import SlipSigner
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, ClassId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_AT_ONCE: Final = 50
"""Maximum number of events in one transaction."""

_HEAD: Final = 200
"""Entries of the waiting list that are loaded first; all are loaded only if these do not decide."""

_SCHEDULE: Final = Actor("schedule")


class Promotions:
    def __init__(self, store: Store, clock: Clock, signer: SlipSigner) -> None:
        self._store, self._clock, self._signer = store, clock, signer

    async def advance(self, campaign: Campaign) -> None:
        """Do everything that is due now. Safe to repeat, also by several processes.

        Raises ClocksDifferError: with a wrong clock, offers could expire too early.
        """
        draw, now = await DrawRepository(self._store).get(campaign.id), self._clock.now()
        if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
            return
        places = draw.places
        if places.settled == places.changes and (places.settle_again_at is None or now < places.settle_again_at):
            return
        await check_clocks(self._store)
        moved = 0
        for rule in draw.manifest.classes:
            moved += await self._settle(campaign.id, ClassId(rule.id))
        if moved:
            _log.info("places-passed-on", campaign=campaign.id, count=moved)
            return
        await self._note_settled(draw, now)

    async def _note_settled(self, draw: Draw, now: datetime) -> None:
        moments = [await PlaceRepository(self._store).first_answer_by(draw.base)]
        moments += [draw.manifest.promotion.holds_until(rule) for rule in draw.manifest.classes]
        again_at = min((moment for moment in moments if moment is not None and moment > now), default=None)
        await FollowUpRepository(self._store).note_settled(draw, again_at)

    async def _settle(self, campaign: CampaignId, class_id: ClassId) -> int:
        """Settle one class. Return the number of events."""
        total = 0
        while count := await self._store.transact(lambda uow: self._settle_some(uow, campaign, class_id)):
            total += count
        return total

    async def _settle_some(self, uow: UnitOfWork, campaign: CampaignId, class_id: ClassId) -> int:
        published = await PublishedDraw.load(uow, campaign, self._clock.now())
        lists = await _load_lists(published, class_id)
        events = _due_events(published.at, lists, class_id)
        if events:
            await published.record(events, _SCHEDULE)
            await notices.publish_notices(published, events, self._signer)
        return len(events)


async def _load_lists(published: PublishedDraw, class_id: ClassId) -> WaitingLists:
    lists = await published.load_queue(class_id, _HEAD)
    seen = len(list(lists.waiting(class_id)))
    unsettled = lists.free(class_id) > 0 and lists.turn(class_id, published.at) is None
    return await published.load_queue(class_id) if unsettled and seen == _HEAD else lists


def _due_events(at: datetime, lists: WaitingLists, class_id: ClassId) -> list[PlaceEvent]:
    """Return the expiries that are due, then offers to the next entries, or promotions if the draw makes no offers."""
    rules, events = lists.rules, list[PlaceEvent]()
    for (entry, name), place in sorted(lists.places.items()):
        if name == class_id and place.answer_by is not None and place.answer_by <= at and len(events) < _AT_ONCE:
            events.append(PlaceEvent(Move.EXPIRED, at, "", entry, name, place.seats))
            lists.apply(events[-1])
    while len(events) < _AT_ONCE and (turn := lists.turn(class_id, at)) is not None:
        answer_by = rules.answer_by(lists.classes[class_id], at) if rules.offer_hours else None
        move = Move.PROMOTED if answer_by is None else Move.OFFERED
        event = PlaceEvent(move, at, "", turn.entry, class_id, turn.seats, answer_by=answer_by, past=turn.past)
        lists.apply(event)
        events += [event, *lists.passed_over(turn.entry, at)]
    return events
