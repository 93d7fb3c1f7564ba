"""Those who did not come: counted once for each class at its set time, and released where the campaign says so.

Nobody's place is given away because a device was out of reach: the count waits until every device that took part has
told what it had at that moment, or was set aside by staff. And nothing is released where nobody was scanned at all,
for then reception was held without us.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.reception import repository as ledger
from services.lottery.reception.desk import judged
from services.lottery.reception.rules.attendance import Count, Scan
from services.lottery.reception.rules.roster import Line, application_of, no_shows_at
from shared.campaign import Campaign, EventClass
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId, ClassId
from shared.logging import get_logger
from shared.storage import Store, UnitOfWork

_log = get_logger(__name__)

RELEASED_AT_ONCE: Final = 50
"""Places given up in one transaction."""

Release = Callable[[UnitOfWork, CampaignId, ApplicationId, ClassId, str, datetime], Awaitable[object]]
"""Gives a place up for a reason at a time, so that the next on the waiting list is asked."""


@dataclass(frozen=True)
class Attended:
    """One class as it stands. `absent`: the held places of which nobody came."""

    count: Count
    absent: tuple[Line, ...]


class NoShows:
    def __init__(self, store: Store, clock: Clock, release: Release) -> None:
        self._store, self._clock, self._release = store, clock, release

    async def count_what_is_due(self, campaign: Campaign) -> None:
        """Safe to repeat and to run in several processes: each class is closed once, each place given up once."""
        closings = await ledger.closings(self._store, campaign.id)
        for each in campaign.classes:
            due = no_shows_at(campaign, each)
            if each.id in closings:
                await self._give_up(campaign.id, closings[each.id])
            elif self._clock.now() >= due and not await ledger.silent(self._store, campaign.id, due):
                await self._close(campaign, each, due)

    async def _close(self, campaign: Campaign, event_class: EventClass, due: datetime) -> None:
        async def work(uow: UnitOfWork) -> Attended | None:
            await ledger.pass_desk(uow, campaign.id)
            lines = [line for line in await ledger.lines(uow, campaign.id) if line.class_id == event_class.id]
            if not lines or await ledger.is_closed(uow, campaign.id, event_class.id):
                return None
            seen = attended(campaign, lines, await ledger.scans_of(uow, campaign.id, class_id=event_class.id))
            released = seen.absent if campaign.reception.release and seen.count.people else ()
            places = [line.place_id for line in released]
            await ledger.put_closing(uow, campaign.id, event_class.id, due, seen.count, places)
            return seen

        seen = await self._store.transact(work)
        if seen is not None:
            _log.info("no-shows-counted", campaign=campaign.id, count=seen.count.absent)

    async def _give_up(self, campaign: CampaignId, closing: Mapping[str, Any]) -> None:
        """The next places of those that a closing released, until all are."""
        for start in range(closing["handed"], len(closing["released"]), RELEASED_AT_ONCE):
            places = closing["released"][start : start + RELEASED_AT_ONCE]

            async def work(uow: UnitOfWork, start: int = start, places: Sequence[str] = places) -> None:
                if await ledger.hand_over(uow, closing["_id"], start, start + len(places)):
                    for place in places:
                        name, class_id = application_of(place), ClassId(closing["class_id"])
                        await self._release(uow, campaign, name, class_id, "no-show", closing["at"])

            await self._store.transact(work)


def attended(campaign: Campaign, lines: Sequence[Line], pairs: Sequence[tuple[str, Scan]]) -> Attended:
    """`lines` and scans of one class, or of several together."""
    told = judged(campaign, lines, pairs)
    inside = Counter[str]()
    for place, scan in pairs:
        inside[place] += told[scan.id].counted
    count, absent = Count(), []
    for line in lines:
        count = count.with_place(line.place, inside[line.place_id])
        if line.place.state == "held" and inside[line.place_id] == 0:
            absent.append(line)
    return Attended(count, tuple(absent))
