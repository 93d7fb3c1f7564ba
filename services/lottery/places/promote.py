"""Passing on what fell free: offers that ran out, whoever is next, and whoever can no longer be. Done by the schedule.

It looks only where something moved since it last looked, or where a moment has come: an offer's end, or the time until
which a group holds seats.
"""

from datetime import datetime
from typing import Final

from services.lottery.draw.clock_check import check_clocks
from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.places import notices
from services.lottery.places.notices import Passes
from services.lottery.places.repository import By, Scene, earliest
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent, WaitingLists
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, ClassId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

_AT_ONCE: Final = 50
"""Steps in one transaction."""

_HEAD: Final = 200
"""So many of the waiting list are looked at first; all of it only where these did not settle it."""

_SCHEDULE: Final = By("schedule")


class PassingOn:
    def __init__(self, store: Store, clock: Clock, passes: Passes) -> None:
        self._store, self._clock, self._passes = store, clock, passes

    async def advance(self, campaign: Campaign) -> None:
        """Everything that is due now. Safe to repeat, also by several processes.

        Raises ClocksDifferError: a clock that is wrong would let offers run out before their time.
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
        await self._looked(draw, now)

    async def _looked(self, draw: Draw, now: datetime) -> None:
        moments = [await earliest(self._store, draw.id, "answer_by", PlaceState.OFFERED)]
        moments += [draw.manifest.promotion.holds_until(rule) for rule in draw.manifest.classes]
        again_at = min((each for each in moments if each is not None and each > now), default=None)
        await FollowUpRepository(self._store).note_settled(draw, again_at)

    async def _settle(self, campaign: CampaignId, class_id: ClassId) -> int:
        """Class by class, in the order of the manifest; how many steps were taken."""
        taken = 0
        while steps := await self._store.transact(lambda uow: self._some(uow, campaign, class_id)):
            taken += steps
        return taken

    async def _some(self, uow: UnitOfWork, campaign: CampaignId, class_id: ClassId) -> int:
        scene = await Scene.of(uow, campaign, self._clock.now())
        standing = await _line(scene, class_id)
        steps = _due(scene.at, standing, class_id)
        if steps:
            await scene.record(steps, _SCHEDULE)
            await notices.tell(scene, steps, self._passes)
        return len(steps)


async def _line(scene: Scene, class_id: ClassId) -> WaitingLists:
    standing = await scene.line(class_id, _HEAD)
    seen = len(list(standing.waiting(class_id)))
    unsettled = standing.free(class_id) > 0 and standing.turn(class_id, scene.at) is None
    return await scene.line(class_id) if unsettled and seen == _HEAD else standing


def _due(at: datetime, standing: WaitingLists, class_id: ClassId) -> list[PlaceEvent]:
    """What ran out, and then offers to whoever is next, or places where nobody is asked."""
    rules, steps = standing.rules, list[PlaceEvent]()
    for (entry, name), place in sorted(standing.places.items()):
        if name == class_id and place.answer_by is not None and place.answer_by <= at and len(steps) < _AT_ONCE:
            steps.append(PlaceEvent(Move.EXPIRED, at, "", entry, name, place.seats))
            standing.apply(steps[-1])
    while len(steps) < _AT_ONCE and (turn := standing.turn(class_id, at)) is not None:
        asked = rules.answer_by(standing.classes[class_id], at) if rules.offer_hours else None
        move = Move.PROMOTED if asked is None else Move.OFFERED
        step = PlaceEvent(move, at, "", turn.entry, class_id, turn.seats, answer_by=asked, past=turn.past)
        standing.apply(step)
        steps += [step, *standing.passed_over(turn.entry, at)]
    return steps
