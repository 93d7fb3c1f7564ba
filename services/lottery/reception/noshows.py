"""No-shows: counted once for each class at its set time, and released if the campaign says so.

The count waits until every device has sent its scans of that time or was set aside by staff, so that an offline device
costs no person a place. If no pass of the class was scanned, nothing is released: reception took place without Kuji.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.promotion.place_id import split_place_id
from services.lottery.reception import repository
from services.lottery.reception.rules.attendance import Count, Scan
from services.lottery.reception.rules.roster import RosterLine, no_shows_at
from services.lottery.reception.service import judge_all
from shared.campaign import Campaign, EventClass
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId, ClassId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

RELEASED_AT_ONCE: Final = 50
"""Places that are released in one transaction."""

Release = Callable[[UnitOfWork, CampaignId, ApplicationId, ClassId, str, datetime], Awaitable[object]]
"""Releases a place for a reason at a time, so that the next waiting entry can get it."""


@dataclass(frozen=True)
class ClassCount:
    """One class as it stands. `absent`: the held places of which nobody came."""

    count: Count
    absent: tuple[RosterLine, ...]


class NoShows:
    def __init__(self, store: Store, clock: Clock, release: Release) -> None:
        self._store, self._clock, self._release = store, clock, release

    async def count_what_is_due(self, campaign: Campaign) -> None:
        """Close the classes that are due, and release places. Safe to repeat, also by several processes."""
        closings = await repository.closings(self._store, campaign.id)
        for each in campaign.classes:
            due = no_shows_at(campaign, each)
            if each.id in closings:
                await self._give_up(campaign.id, closings[each.id])
            elif self._clock.now() >= due and not await repository.silent_devices(self._store, campaign.id, due):
                await self._close(campaign, each, due)

    async def _close(self, campaign: Campaign, event_class: EventClass, due: datetime) -> None:
        async def work(uow: UnitOfWork) -> ClassCount | None:
            await repository.touch_counter(uow, campaign.id)
            lines = [line for line in await repository.lines(uow, campaign.id) if line.class_id == event_class.id]
            if not lines or await repository.is_closed(uow, campaign.id, event_class.id):
                return None
            seen = count_attendance(
                campaign, lines, await repository.scans_of(uow, campaign.id, class_id=event_class.id)
            )
            released = seen.absent if campaign.reception.release and seen.count.people else ()
            places = [line.place_id for line in released]
            await repository.put_closing(uow, campaign.id, event_class.id, due, seen.count, places)
            return seen

        seen = await self._store.transact(work)
        if seen is not None:
            _log.info("no-shows-counted", campaign=campaign.id, count=seen.count.absent)

    async def _give_up(self, campaign: CampaignId, closing: Mapping[str, Any]) -> None:
        """Release the places of a closing that were not processed yet."""
        for start in range(closing["handed"], len(closing["released"]), RELEASED_AT_ONCE):
            places = closing["released"][start : start + RELEASED_AT_ONCE]

            async def work(uow: UnitOfWork, start: int = start, places: Sequence[str] = places) -> None:
                if await repository.advance_release(uow, closing["_id"], start, start + len(places)):
                    for place in places:
                        name, class_id = split_place_id(place)
                        await self._release(uow, campaign, name, class_id, "no-show", closing["at"])

            await self._store.transact(work)


def count_attendance(campaign: Campaign, lines: Sequence[RosterLine], pairs: Sequence[tuple[str, Scan]]) -> ClassCount:
    """Count the attendance of `lines` (roster lines of one or more classes) from the scans `pairs`."""
    verdicts = judge_all(campaign, lines, pairs)
    inside = Counter[str]()
    for place, scan in pairs:
        inside[place] += verdicts[scan.id].counted
    count, absent = Count(), []
    for line in lines:
        count = count.with_place(line.place, inside[line.place_id])
        if line.place.state == "held" and inside[line.place_id] == 0:
            absent.append(line)
    return ClassCount(count, tuple(absent))
