"""Correction of a wrong refusal: the application gets the places that the draw would have given. Needs two handlers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places import notices
from services.lottery.places.moves import NoSuchPlaceError
from services.lottery.places.notices import NoticeSecrets
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.stored_place import Actor, StoredPlace
from services.lottery.promotion.corrections import compute_correction, format_entry_choices
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError, Place, PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId, ClassId, Receipt
from shared.storage import Store, UnitOfWork

REASON = "wrongly-refused"


@dataclass(frozen=True)
class RefusedApplication:
    """Application that was wrongly refused. `choices`: class and seats, in order of preference."""

    application_id: ApplicationId
    receipt: Receipt
    choices: tuple[tuple[ClassId, int], ...]


class Corrections:
    def __init__(self, store: Store, clock: Clock, secrets: NoticeSecrets) -> None:
        self._store, self._clock, self._secrets = store, clock, secrets

    async def correct(self, campaign: CampaignId, refused: RefusedApplication, actor: Actor) -> dict[str, PlaceState]:
        """Give the places that the draw would have given. Return the states by class; empty if there are none.

        Raises NoSuchPlaceError if no such application was refused in time, InvalidMoveError if it was in the draw or
        was corrected before, WrongStateError before publication.
        """
        draw = await DrawRepository(self._store).get(campaign)
        if draw.state is not DrawState.PUBLISHED:
            raise WrongStateError(draw.state)
        await self._require_refused(campaign, refused.application_id)
        frozen = await ListRepository(self._store).read(draw.id)
        given = await asyncio.to_thread(_given, draw.key, frozen, refused, draw.manifest)

        async def add_places(uow: UnitOfWork) -> None:
            published = await PublishedDraw.load(uow, campaign, self._clock.now())
            if published.id != draw.id:
                raise WrongStateError("being changed by another process")
            await self._add_places(published, refused, given, actor)

        await self._store.transact(add_places)
        return given

    async def _require_refused(self, campaign: CampaignId, application_id: ApplicationId) -> None:
        """Check that the application was received in time and refused: ids cannot be chosen after the draw."""
        entries = EntryRepository(self._store)
        entry = await entries.find(campaign, application_id)
        received = entry is not None or await entries.is_on_roll(campaign, application_id)
        if not received or (entry is not None and entry.state == "accepted"):
            raise NoSuchPlaceError("not refused")

    async def _add_places(
        self, published: PublishedDraw, refused: RefusedApplication, given: Mapping[str, PlaceState], actor: Actor
    ) -> None:
        entry, events, places = _entry(refused), list[PlaceEvent](), dict[ClassId, Place]()
        for name, seats in refused.choices:
            if name in given:
                lists = await published.load_class(name)
                events.append(_event(published, lists, entry, name, seats, given[name]))
                lists.apply(events[-1])
                places[name] = lists.places[entry.id.hex(), name]
        if events:
            await published.record(events, actor)
            await published.places.add_corrected(
                StoredPlace(published.campaign, published.id, refused.application_id, name, refused.receipt, place)
                for name, place in places.items()
            )
            positions = {str(name): place.position for name, place in places.items()}
            await notices.publish_offers(published, events, self._secrets, positions)


def _entry(refused: RefusedApplication) -> Entry:
    return Entry.of(refused.application_id, tuple((str(name), seats) for name, seats in refused.choices))


def _given(key: bytes, frozen: FrozenList, refused: RefusedApplication, manifest: Manifest) -> dict[str, PlaceState]:
    classes = {rule.id for rule in manifest.classes}
    if not {name for name, _ in refused.choices} <= classes:
        raise InvalidMoveError("the class does not exist")
    try:
        return compute_correction(key, frozen, _entry(refused), manifest.classes, manifest.rules)
    except ValueError:
        raise InvalidMoveError("this application was in the draw") from None


def _event(
    published: PublishedDraw, lists: WaitingLists, entry: Entry, name: str, seats: int, state: PlaceState
) -> PlaceEvent:
    extra = lists.extra_needed(name, seats) if state is PlaceState.HELD else 0
    return PlaceEvent(
        Move.CORRECTED,
        published.at,
        REASON,
        entry.id.hex(),
        name,
        seats,
        state=state,
        extra=extra,
        choices=format_entry_choices(entry),
    )
