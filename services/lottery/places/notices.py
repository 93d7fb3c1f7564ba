"""Telling people about their place: said in the transaction that moves it, and so exactly where it moved."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from services.lottery.keys import LotteryKeys
from services.lottery.places.repository import Scene
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.contracts import BATCH_LIMIT, PlaceOffer, PlacesOffered
from shared.ids import ApplicationId, CampaignId, ClassId, DrawId, derived_event_id

_TOLD: Final = frozenset({Move.OFFERED, Move.PROMOTED, Move.CORRECTED})
_STATES: Final[Mapping[PlaceState, Literal["offered", "held", "waiting"]]] = {
    PlaceState.OFFERED: "offered",
    PlaceState.HELD: "held",
    PlaceState.WAITING: "waiting",
}


class Passes:
    """What a notice holds for its reader alone: the code that proves who asks, and the pass of a class."""

    def __init__(self, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._keys, self._campaigns = keys, campaigns

    def code(self, campaign: CampaignId, draw: DrawId, application_id: ApplicationId) -> str:
        return self._keys.pass_code(campaign, draw, application_id)

    def text(self, campaign: CampaignId, entry: bytes, class_id: ClassId, seats: int) -> str:
        return write_pass(self._keys.signing, campaign, make_pass(self._campaigns[campaign], entry, class_id, seats))


async def tell(
    scene: Scene, steps: Sequence[PlaceEvent], passes: Passes, positions: Mapping[str, int | None] | None = None
) -> None:
    """Say `PlacesOffered` for those of the recorded steps that somebody waits to hear of.

    `positions`: on the waiting list, by class, of a correction that leads there.
    """
    numbered = [(number, step) for number, step in enumerate(steps, scene.seq + 1) if step.move in _TOLD]
    for start in range(0, len(numbered), BATCH_LIMIT):
        part = numbered[start : start + BATCH_LIMIT]
        items = tuple(
            _offer(scene, number, step, passes, (positions or {}).get(step.class_id)) for number, step in part
        )
        event = PlacesOffered(campaign=scene.campaign, draw=scene.draw_id, items=items)
        await scene.uow.emit(event, derived_event_id(event.name, scene.draw_id, str(part[0][0])))


def _offer(scene: Scene, number: int, step: PlaceEvent, passes: Passes, position: int | None) -> PlaceOffer:
    entry = bytes.fromhex(step.entry)
    application_id, class_id = ApplicationId(str(uuid.UUID(bytes=entry))), ClassId(step.class_id)
    state = step.state or (PlaceState.OFFERED if step.move is Move.OFFERED else PlaceState.HELD)
    waits = state is PlaceState.WAITING
    return PlaceOffer(
        occasion=f"{scene.draw_id}-{number}",
        application_id=application_id,
        class_id=class_id,
        seats=step.seats,
        state=_STATES[state],
        position=position if waits else None,
        answer_by=step.answer_by,
        corrected=step.move is Move.CORRECTED,
        pass_code=passes.code(scene.campaign, scene.draw_id, application_id),
        class_pass=None if waits else passes.text(scene.campaign, entry, class_id, step.seats),
    )
