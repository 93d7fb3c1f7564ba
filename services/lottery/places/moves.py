"""Moves of places by applicants and staff: withdraw, accept, decline, admit, release. Each is one transaction.

The pure rules of `promotion` decide whether a move is allowed. Every verifier checks the history by the same rules.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from services.lottery.places import notices
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.stored_place import Actor, StoredPlace
from services.lottery.promotion.states import BEFORE, Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.slips import SlipSigner
from shared.clock import Clock
from shared.codes import EntryId
from shared.contracts import StaffAct
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

Answer = Literal["accept", "decline", "withdraw"]

_MOVES: Final[Mapping[Answer, Move]] = {
    "accept": Move.ACCEPTED,
    "decline": Move.DECLINED,
    "withdraw": Move.WITHDRAWN,
}

_ACTS: Final[Mapping[Answer, StaffAct]] = {
    "accept": StaffAct.ACCEPT_PLACE,
    "decline": StaffAct.DECLINE_PLACE,
    "withdraw": StaffAct.WITHDRAW_PLACE,
}

_DONE: Final[Mapping[Answer, tuple[PlaceState, frozenset[Move | None]]]] = {
    "accept": (PlaceState.HELD, frozenset({None})),
    "decline": (PlaceState.GONE, frozenset({Move.DECLINED, Move.WITHDRAWN})),
    "withdraw": (PlaceState.GONE, frozenset({Move.DECLINED, Move.WITHDRAWN})),
}
"""State and reasons after each answer: in this state a repeated answer changes nothing."""


class NoSuchPlaceError(KujiError):
    """Raised when the entry has no place in the class, or the application was not refused."""


class PlaceMoves:
    """Moves by applicants and staff."""

    def __init__(self, store: Store, clock: Clock, signer: SlipSigner) -> None:
        self._store, self._clock, self._signer = store, clock, signer

    async def answer(
        self, campaign: CampaignId, entry: EntryId, class_id: ClassId, answer: Answer, actor: Actor
    ) -> None:
        """Withdraw, accept or decline. Raises NoSuchPlaceError, InvalidMoveError, WrongStateError.

        A repeated answer changes nothing.
        """

        async def move(uow: UnitOfWork) -> None:
            published = await PublishedDraw.load(uow, campaign, self._clock.now())
            found = await published.places.of_entry(published.base, entry, class_id)
            if not found:
                raise NoSuchPlaceError("no place")
            state, reasons = _DONE[answer]
            if found[0].place.state is state and found[0].why in reasons:
                return
            reason = "applicant" if actor.actor == "applicant" else "office"
            events = await _move(published, _MOVES[answer], reason, found[0], actor)
            await notices.publish_notices(published, events, self._signer)
            if actor.actor != "applicant":
                await record_act(uow, "lottery", _ACTS[answer], actor.actor, entry, campaign)

        await self._store.transact(move)

    async def admit(self, campaign: CampaignId, entry: EntryId, class_id: ClassId, actor: Actor) -> None:
        """Give a free seat to a waiting entry that is present, after the last time to answer.

        Raises InvalidMoveError, WrongStateError.
        """

        async def move(uow: UnitOfWork) -> None:
            published = await PublishedDraw.load(uow, campaign, self._clock.now())
            lists = await published.load_queue(class_id)
            turn = lists.present(entry, class_id, published.at)
            event = PlaceEvent(Move.PROMOTED, published.at, "present", entry, class_id, turn.seats, past=turn.past)
            lists.apply(event)
            events = [event, *lists.passed_over(entry, published.at)]
            await published.record(events, actor)
            await notices.publish_notices(published, events, self._signer)
            await record_act(uow, "lottery", StaffAct.GIVE_FREE_PLACE, actor.actor, entry, campaign)

        await self._store.transact(move)


async def release(
    uow: UnitOfWork, campaign: CampaignId, entry: EntryId, class_id: ClassId, reason: str, at: datetime
) -> None:
    """Release a place if it is still held. Reception calls this inside its own transaction."""
    published = await PublishedDraw.load(uow, campaign, at)
    for stored in await published.places.of_entry(published.base, entry, class_id):
        if stored.place.state is PlaceState.HELD:
            await _move(published, Move.RELEASED, reason, stored, Actor("reception"))


async def withdraw_all(uow: UnitOfWork, campaign: CampaignId, entry: EntryId, at: datetime, signer: SlipSigner) -> None:
    """Give up every place of an entry whose person is erased. Raises WrongStateError while no move is possible."""
    first = await PublishedDraw.load(uow, campaign, at)
    for stored in await first.places.of_entry(first.base, entry):
        published = await PublishedDraw.load(uow, campaign, at)  # each move numbers the next one
        (current,) = await published.places.of_entry(published.base, entry, stored.class_id)
        if current.place.state in BEFORE[Move.WITHDRAWN]:
            events = await _move(published, Move.WITHDRAWN, "applicant", current, Actor("applicant"))
            await notices.publish_notices(published, events, signer)


async def _move(
    published: PublishedDraw, move: Move, reason: str, stored: StoredPlace, actor: Actor
) -> list[PlaceEvent]:
    """Move one place, and end waiting for classes that the entry can no longer take. Return the events."""
    lists = await published.load_entry(stored.entry, stored.class_id)
    event = PlaceEvent(move, published.at, reason, stored.entry, stored.class_id, stored.place.seats)
    lists.apply(event)
    events = [event, *lists.passed_over(stored.entry, published.at)]
    await published.record(events, actor)
    return events
