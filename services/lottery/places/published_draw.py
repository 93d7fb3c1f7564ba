"""A published draw inside a transaction: its places and its history.

Each move writes to the draw's document. Of two moves at the same time one is repeated and sees the other's result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.lottery.draw.follow_up_repository import FollowUpRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState, FurtherRoundRunningError, WrongStateError
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import Actor, StoredPlace
from services.lottery.promotion.history import chain_events, empty_lists
from services.lottery.promotion.states import PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from shared.ids import CampaignId, ClassId, DrawId
from shared.storage import UnitOfWork


@dataclass(frozen=True)
class PublishedDraw:
    """Published draw. `at`: now in whole seconds, or the time of the last event if that is later.

    `seq`: number of the last event after the draw (0: none); `last`: the last event of all.
    """

    uow: UnitOfWork
    draw: Draw
    at: datetime
    seq: int
    last: Mapping[str, Any]

    @classmethod
    async def load(cls, uow: UnitOfWork, campaign: CampaignId, now: datetime) -> "PublishedDraw":
        """Load the draw. Raises WrongStateError before publication and after a request for erasure.

        While a further round has no published result: FurtherRoundRunningError, which is one too.
        """
        draw = await DrawRepository(uow).get(campaign)
        if draw.further is not None and draw.state is not DrawState.PUBLISHED and not draw.is_erasing:
            raise FurtherRoundRunningError(draw.state)
        if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
            raise WrongStateError(draw.state)
        newest = await HistoryRepository(uow).newest(draw.id)
        seq, last = (newest[0].seq, newest[0].event) if newest else (0, draw.history[-1])
        at = max(now.replace(microsecond=0), _next_second(datetime.fromisoformat(last["at"])))
        return cls(uow, draw, at, seq, last)

    @property
    def campaign(self) -> CampaignId:
        return self.draw.campaign

    @property
    def id(self) -> DrawId:
        return self.draw.id

    @property
    def base(self) -> DrawId:
        """Draw under whose id places and outcomes are stored (`Draw.base`)."""
        return self.draw.base

    @property
    def manifest(self) -> Manifest:
        return self.draw.manifest

    @property
    def places(self) -> PlaceRepository:
        return PlaceRepository(self.uow)

    async def load_queue(self, class_id: ClassId, limit: int = 0) -> WaitingLists:
        """Load a class: its offers, its first `limit` waiting entries (0: all), and their other places."""
        waiting = await self.places.of_class(self.base, class_id, PlaceState.WAITING, limit)
        offers = await self.places.of_class(self.base, class_id, PlaceState.OFFERED)
        others = await self.places.other_places(self.base, class_id, [place.entry for place in waiting])
        return await self._with_seats_taken([*waiting, *offers, *others], class_id)

    async def load_entry(self, entry: str, class_id: ClassId) -> WaitingLists:
        """Load all places of one entry (hex), and the number of seats taken in a class."""
        return await self._with_seats_taken(await self.places.of_entries(self.base, [entry]), class_id)

    async def load_class(self, class_id: ClassId) -> WaitingLists:
        """Load all places of a class."""
        return self._lists(await self.places.of_class(self.base, class_id))

    async def record(self, events: Sequence[PlaceEvent], actor: Actor) -> None:
        """Append the events to the history and move their places. Call once in a transaction."""
        await FollowUpRepository(self.uow).change_places(self.draw, _extra_seats(events))
        await HistoryRepository(self.uow).append(self.id, self.seq, list(chain_events(events, self.last)), actor)
        await self.places.apply(self.base, events)

    async def _with_seats_taken(self, places: Sequence[StoredPlace], class_id: ClassId) -> WaitingLists:
        lists = self._lists(places)
        lists.taken[class_id] = await self.places.count_seats_taken(self.base, class_id)
        return lists

    def _lists(self, places: Sequence[StoredPlace]) -> WaitingLists:
        lists = empty_lists(self.manifest)
        lists.extra.update(self.draw.places.extra)
        for stored in places:
            lists.put(stored.entry, stored.class_id, stored.place)
        return lists


def _next_second(at: datetime) -> datetime:
    """Return the first whole second that is not before `at`."""
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


def _extra_seats(events: Sequence[PlaceEvent]) -> Mapping[ClassId, int]:
    added: dict[ClassId, int] = {}
    for event in events:
        if event.extra:
            class_id = ClassId(event.class_id)
            added[class_id] = added.get(class_id, 0) + event.extra
    return added
