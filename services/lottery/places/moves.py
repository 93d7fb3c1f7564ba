"""What is done with places: given up, offered, answered, run out, released. Each move is one transaction.

Whether a move is allowed is decided by `promotion` alone, on what the transaction sees; the history that it writes is
checked by the same rules in everybody's verifier.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from services.lottery.places import notices
from services.lottery.places.notices import Passes
from services.lottery.places.repository import By, Scene
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from shared.clock import Clock
from shared.errors import KujiError
from shared.ids import ApplicationId, CampaignId, ClassId, application_id_bytes
from shared.storage import Store, UnitOfWork

Answer = Literal["accept", "decline", "withdraw"]

_MOVES: Final[Mapping[Answer, Move]] = {
    "accept": Move.ACCEPTED,
    "decline": Move.DECLINED,
    "withdraw": Move.WITHDRAWN,
}

_DONE: Final[Mapping[Answer, tuple[PlaceState, frozenset[Move | None]]]] = {
    "accept": (PlaceState.HELD, frozenset({None})),
    "decline": (PlaceState.GONE, frozenset({Move.DECLINED, Move.WITHDRAWN})),
    "withdraw": (PlaceState.GONE, frozenset({Move.DECLINED, Move.WITHDRAWN})),
}
"""What an answer leads to; where it is so already, saying it again changes nothing."""


class NoSuchPlace(KujiError):  # noqa: N818  (says what is the case)
    """The application has nothing in this class, or is not one of the kind that was asked about."""


class Places:
    """Moves that people ask for."""

    def __init__(self, store: Store, clock: Clock, passes: Passes) -> None:
        self._store, self._clock, self._passes = store, clock, passes

    async def answer(
        self, campaign: CampaignId, application_id: ApplicationId, class_id: ClassId, answer: Answer, by: By
    ) -> None:
        """Give up, accept or decline. Raises NoSuchPlace, InvalidMoveError, WrongStateError.

        A repeated answer changes nothing.
        """

        async def work(uow: UnitOfWork) -> None:
            scene = await Scene.of(uow, campaign, self._clock.now())
            own = await scene.find(application_id=application_id, class_id=class_id)
            if not own:
                raise NoSuchPlace("no place")
            state, reasons = _DONE[answer]
            if own[0]["state"] == state and own[0]["why"] in reasons:
                return
            reason = "applicant" if by.actor == "applicant" else "office"
            await _move(scene, _MOVES[answer], reason, own[0]["entry"], class_id, own[0]["seats"], by)

        await self._store.transact(work)

    async def admit(self, campaign: CampaignId, application_id: ApplicationId, class_id: ClassId, by: By) -> None:
        """Somebody who waits is there when nobody is asked any more. Raises InvalidMoveError, WrongStateError."""
        entry = application_id_bytes(application_id).hex()

        async def work(uow: UnitOfWork) -> None:
            scene = await Scene.of(uow, campaign, self._clock.now())
            standing = await scene.line(class_id)
            turn = standing.present(entry, class_id, scene.at)
            step = PlaceEvent(Move.PROMOTED, scene.at, "present", entry, class_id, turn.seats, past=turn.past)
            standing.apply(step)
            await scene.record([step, *standing.passed_over(entry, scene.at)], by)
            await notices.tell(scene, [step], self._passes)

        await self._store.transact(work)


async def release(
    uow: UnitOfWork, campaign: CampaignId, application_id: ApplicationId, class_id: ClassId, reason: str, at: datetime
) -> None:
    """Nobody came: the place is given up, where it is still held. For reception, inside its own transaction."""
    scene = await Scene.of(uow, campaign, at)
    own = await scene.find(application_id=application_id, class_id=class_id, state=PlaceState.HELD)
    if own:
        await _move(scene, Move.RELEASED, reason, own[0]["entry"], class_id, own[0]["seats"], By("reception"))


async def _move(scene: Scene, move: Move, reason: str, entry: str, class_id: ClassId, seats: int, by: By) -> None:
    """One move of one place, and what follows from it for the entry's others."""
    standing = await scene.around(entry, class_id)
    step = PlaceEvent(move, scene.at, reason, entry, class_id, seats)
    standing.apply(step)
    await scene.record([step, *standing.passed_over(entry, scene.at)], by)
