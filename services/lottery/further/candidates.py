"""Read who takes part in a further round, from entries and places that do not move while it is under way."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.lottery.allocation.entries import Choice
from services.lottery.allocation.entries import Entry as ListedEntry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.rules.entry import Entry
from services.lottery.places.repository import PlaceRepository
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.further_round import GIVEN_UP, EntryPlaces, Participation
from services.lottery.promotion.states import PlaceState
from services.lottery.record.taken_over import HELD, TakenPlace
from services.lottery.rules import ClassRule, Rules, Scope
from shared.campaign import Campaign
from shared.codes import EntryId
from shared.ids import DrawId
from shared.storage import Store

_AT_ONCE: Final = 5_000

_NONE: Final = EntryPlaces()


@dataclass
class PlacesBefore:
    """Places before a further round: held and waiting ones for its manifest, and by entry what it holds and gave up."""

    places: list[TakenPlace] = field(default_factory=list)
    of_entry: dict[EntryId, EntryPlaces] = field(default_factory=dict)

    def add(self, stored: StoredPlace) -> None:
        """Add a place. None is offered while a further round is under way."""
        own, place, name = self.of_entry.get(stored.entry, _NONE), stored.place, str(stored.class_id)
        if place.state is PlaceState.GONE:
            if stored.why in GIVEN_UP:
                self.of_entry[stored.entry] = EntryPlaces(own.held, own.given_up | {name})
            return
        position = place.position or HELD if place.state is PlaceState.WAITING else HELD
        self.places.append(TakenPlace(name, position, stored.entry, place.seats))
        if position == HELD:
            self.of_entry[stored.entry] = EntryPlaces(own.held | {name}, own.given_up)


@dataclass(frozen=True)
class RoundList:
    """List of a further round: its entries with the choices that they have in it, and how many came by each channel."""

    frozen: FrozenList
    by_channel: Mapping[str, int]


class Candidates:
    """Reads the list of a further round of one campaign. `scope`: who takes part."""

    def __init__(self, store: Store, campaign: Campaign, scope: Scope) -> None:
        self._entries, self._places = EntryRepository(store), PlaceRepository(store)
        self._campaign, self._scope = campaign, scope

    async def places_before(self, base: DrawId) -> PlacesBefore:
        """Return the places of a draw. They do not move while a further round is under way."""
        before = PlacesBefore()
        async for stored in self._places.walk(base):
            before.add(stored)
        before.places.sort()
        return before

    async def list_of(self, free: Mapping[str, int], before: PlacesBefore) -> RoundList:
        """Return the list of a further round over the `free` seats."""
        listed, channels = list[ListedEntry](), Counter[str]()
        async for entry, choices in self._taking_part(free, before):
            listed.append(ListedEntry(bytes.fromhex(entry.entry or ""), choices))
            channels[entry.channel] += 1
        return RoundList(FrozenList.of(listed), dict(channels))

    async def any_for(self, base: DrawId, free: Mapping[str, int]) -> bool:
        """Return True if an entry would take part in a further round over the `free` seats."""
        before = await self.places_before(base)
        async for _ in self._taking_part(free, before):
            return True
        return False

    async def _taking_part(
        self, free: Mapping[str, int], before: PlacesBefore
    ) -> AsyncIterator[tuple[Entry, tuple[Choice, ...]]]:
        """Yield entries and their choices in the round, in the order of their ids."""
        rule = self._campaign.draw
        classes: Mapping[str, ClassRule] = {
            one.id: ClassRule(one.id, one.capacity, one.starts, one.ends, one.waiting) for one in self._campaign.classes
        }
        participation = Participation(classes, Rules(rule.max_wins, rule.preferences), self._scope, free)
        async for entry in self._accepted():
            own = before.of_entry.get(entry.entry or EntryId(""), _NONE)
            choices = participation.choices(entry.choices, entry.eligible, own)
            if choices:
                yield entry, choices

    async def _accepted(self) -> AsyncIterator[Entry]:
        first = EntryId("")
        while entries := await self._entries.accepted(self._campaign.id, first, _AT_ONCE):
            for entry in entries:
                yield entry
            first = EntryId(f"{entries[-1].entry}0")  # a text between this id and the next
