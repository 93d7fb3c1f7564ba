"""No-shows: counted once for each class at its set time, and released if the campaign says so.

The count waits until every device has sent its scans of that time or was set aside by staff, so that an offline device
costs no person a place. If no pass of the class was scanned, nothing is released: reception took place without Kuji.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.lottery.draw.rules.states import FurtherRoundRunningError
from services.lottery.promotion.place_id import split_place_id
from services.lottery.reception.records import Closing
from services.lottery.reception.repository import ReceptionRepository
from services.lottery.reception.rules.attendance import Count, Scan
from services.lottery.reception.rules.roster import RosterLine, no_shows_at
from services.lottery.reception.service import judge_all
from shared.campaign import Campaign, EventClass
from shared.clock import Clock
from shared.codes import EntryId
from shared.ids import CampaignId, ClassId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

RELEASED_AT_ONCE: Final = 50
"""Places that are released in one transaction."""

Release = Callable[[UnitOfWork, CampaignId, EntryId, ClassId, str, datetime], Awaitable[object]]
"""Releases a place for a reason at a time, so that the next waiting entry can get it."""


@dataclass(frozen=True)
class ClassCount:
    """Attendance of one class. `absent`: held places of which no person was admitted."""

    count: Count
    absent: tuple[RosterLine, ...]


class NoShows:
    def __init__(self, store: Store, clock: Clock, release: Release) -> None:
        self._store, self._clock, self._release = store, clock, release

    async def count_what_is_due(self, campaign: Campaign) -> None:
        """Close the classes that are due, and release places. Safe to repeat, also by several processes."""
        reception = ReceptionRepository(self._store)
        closings = await reception.closings(campaign.id)
        for event_class in campaign.classes:
            due = no_shows_at(campaign, event_class)
            if event_class.id in closings:
                await self._give_up(closings[event_class.id])
            elif self._clock.now() >= due and not await reception.silent_devices(campaign.id, due):
                await self._close(campaign, event_class, due)

    async def _close(self, campaign: Campaign, event_class: EventClass, due: datetime) -> None:
        async def count_no_shows(uow: UnitOfWork) -> Closing | None:
            reception = ReceptionRepository(uow)
            await reception.touch_counter(campaign.id)
            lines = [line for line in await reception.lines(campaign.id) if line.class_id == event_class.id]
            if not lines or event_class.id in await reception.closings(campaign.id):
                return None
            pairs = await reception.scans_of_places(campaign.id, class_id=event_class.id)
            closing = _make_closing(campaign, event_class, due, count_attendance(campaign, lines, pairs))
            await reception.add_closing(closing)
            return closing

        closing = await self._store.transact(count_no_shows)
        if closing is not None:
            _log.info("no-shows-counted", campaign=campaign.id, count=closing.no_shows)

    async def _give_up(self, closing: Closing) -> None:
        """Release the places of a closing that were not processed yet."""
        for start in range(closing.handed, len(closing.released), RELEASED_AT_ONCE):
            places = closing.released[start : start + RELEASED_AT_ONCE]

            async def release_places(uow: UnitOfWork, start: int = start, places: Sequence[str] = places) -> None:
                if await ReceptionRepository(uow).advance_release(closing, start, start + len(places)):
                    for place in places:
                        entry, class_id = split_place_id(place)
                        await self._release(uow, closing.campaign, entry, class_id, "no-show", closing.at)

            try:
                await self._store.transact(release_places)
            except FurtherRoundRunningError:
                return  # the places are gone for reception already; their seats are freed after the round


def _make_closing(campaign: Campaign, event_class: EventClass, due: datetime, attendance: ClassCount) -> Closing:
    """Return the closing of a class. It releases no place if no person was admitted, or if the campaign keeps them."""
    is_releasing = campaign.reception.release and attendance.count.people > 0
    released = [line.place_id for line in attendance.absent] if is_releasing else []
    return Closing(campaign.id, event_class.id, due, attendance.count.absent, attendance.count.people, released)


def count_attendance(campaign: Campaign, lines: Sequence[RosterLine], pairs: Sequence[tuple[str, Scan]]) -> ClassCount:
    """Count attendance of the places in `lines`, of one class or of several."""
    verdicts = judge_all(campaign, lines, pairs)
    admitted = Counter[str]()
    for place, scan in pairs:
        admitted[place] += verdicts[scan.id].counted
    count, absent = Count(), []
    for line in lines:
        count = count.with_place(line.place, admitted[line.place_id])
        if line.place.state == "held" and admitted[line.place_id] == 0:
            absent.append(line)
    return ClassCount(count, tuple(absent))
