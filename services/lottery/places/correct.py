"""Correcting a mistake: an application that was wrongly refused gets what the draw would have given it. Two people."""

import asyncio
from dataclasses import dataclass

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places import notices
from services.lottery.places.moves import NoSuchPlace
from services.lottery.places.notices import Passes
from services.lottery.places.repository import By, Scene
from services.lottery.promotion.corrections import compute_correction, format_entry_choices
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError, Place, PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId, ClassId, Receipt
from shared.storage import Store, UnitOfWork

REASON = "wrongly-refused"


@dataclass(frozen=True)
class Refused:
    """The application as it should have been taken: choices in order of preference, `receipt` as it was given."""

    application_id: ApplicationId
    receipt: Receipt
    choices: tuple[tuple[ClassId, int], ...]


class Correcting:
    def __init__(self, store: Store, clock: Clock, passes: Passes) -> None:
        self._store, self._clock, self._passes = store, clock, passes

    async def correct(self, campaign: CampaignId, refused: Refused, by: By) -> dict[str, PlaceState]:
        """What it gets, by class; empty where the draw would have given it nothing.

        Raises NoSuchPlace if no such application was refused in time, InvalidMoveError if it was in the draw or
        was corrected before, WrongStateError before the results are out.
        """
        draw = await DrawRepository(self._store).get(campaign)
        if draw.state is not DrawState.PUBLISHED:
            raise WrongStateError(draw.state)
        await self._was_refused(campaign, refused.application_id)
        frozen = await ListRepository(self._store).read(draw.id)
        given = await asyncio.to_thread(_given, draw.key, frozen, refused, draw.manifest)

        async def work(uow: UnitOfWork) -> None:
            scene = await Scene.of(uow, campaign, self._clock.now())
            if scene.draw_id != draw.id:
                raise WrongStateError("being changed by somebody else")
            await self._put(scene, refused, given, by)

        await self._store.transact(work)
        return given

    async def _was_refused(self, campaign: CampaignId, application_id: ApplicationId) -> None:
        """Only what was received in time can have been refused wrongly: nobody chooses an id after K is known."""
        entries = EntryRepository(self._store)
        entry = await entries.find(campaign, application_id)
        received = entry is not None or await entries.is_on_roll(campaign, application_id)
        if not received or (entry is not None and entry.state == "accepted"):
            raise NoSuchPlace("not refused")

    async def _put(self, scene: Scene, refused: Refused, given: dict[str, PlaceState], by: By) -> None:
        entry, steps, places = _entry(refused), list[PlaceEvent](), dict[ClassId, Place]()
        for name, seats in refused.choices:
            if name in given:
                standing = await scene.whole(name)
                steps.append(_step(scene, standing, entry, name, seats, given[name]))
                standing.apply(steps[-1])
                places[name] = standing.places[entry.id.hex(), name]
        if steps:
            await scene.record(steps, by)
            await scene.begin(refused.application_id, refused.receipt, places)
            positions = {str(name): place.position for name, place in places.items()}
            await notices.tell(scene, steps, self._passes, positions)


def _entry(refused: Refused) -> Entry:
    return Entry.of(refused.application_id, tuple((str(name), seats) for name, seats in refused.choices))


def _given(key: bytes, frozen: FrozenList, refused: Refused, manifest: Manifest) -> dict[str, PlaceState]:
    classes = {rule.id for rule in manifest.classes}
    if not {name for name, _ in refused.choices} <= classes:
        raise InvalidMoveError("the class does not exist")
    try:
        return compute_correction(key, frozen, _entry(refused), manifest.classes, manifest.rules)
    except ValueError:
        raise InvalidMoveError("this application was in the draw") from None


def _step(scene: Scene, standing: WaitingLists, entry: Entry, name: str, seats: int, state: PlaceState) -> PlaceEvent:
    extra = standing.extra_needed(name, seats) if state is PlaceState.HELD else 0
    return PlaceEvent(
        Move.CORRECTED,
        scene.at,
        REASON,
        entry.id.hex(),
        name,
        seats,
        state=state,
        extra=extra,
        choices=format_entry_choices(entry),
    )
