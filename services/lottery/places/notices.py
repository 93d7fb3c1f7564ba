"""Notices about places, published in the transaction that moves the place."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from services.lottery.keys import LotteryKeys
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import PlaceEvent
from services.lottery.record.passes import make_pass, write_pass
from shared.campaign import Campaign
from shared.contracts import BATCH_LIMIT, PlaceOffer, PlacesOffered
from shared.ids import ApplicationId, CampaignId, ClassId, DrawId, derived_event_id

_ANNOUNCED: Final = frozenset({Move.OFFERED, Move.PROMOTED, Move.CORRECTED})
_STATES: Final[Mapping[PlaceState, Literal["offered", "held", "waiting"]]] = {
    PlaceState.OFFERED: "offered",
    PlaceState.HELD: "held",
    PlaceState.WAITING: "waiting",
}


class NoticeSecrets:
    """Secrets of a notice: the code that proves ownership of places, and the pass of a class."""

    def __init__(self, keys: LotteryKeys, campaigns: Mapping[CampaignId, Campaign]) -> None:
        self._keys, self._campaigns = keys, campaigns

    def code(self, campaign: CampaignId, draw: DrawId, application_id: ApplicationId) -> str:
        return self._keys.pass_code(campaign, draw, application_id)

    def text(self, campaign: CampaignId, entry: bytes, class_id: ClassId, seats: int) -> str:
        return write_pass(self._keys.signing, campaign, make_pass(self._campaigns[campaign], entry, class_id, seats))


async def publish_offers(
    published: PublishedDraw,
    events: Sequence[PlaceEvent],
    secrets: NoticeSecrets,
    positions: Mapping[str, int | None] | None = None,
) -> None:
    """Publish `PlacesOffered` for the recorded events that give or offer a place.

    `positions`: by class, of a correction that leads to the waiting list.
    """
    numbered = [(number, event) for number, event in enumerate(events, published.seq + 1) if event.move in _ANNOUNCED]
    for start in range(0, len(numbered), BATCH_LIMIT):
        part = numbered[start : start + BATCH_LIMIT]
        items = tuple(
            _offer(published, number, event, secrets, (positions or {}).get(event.class_id)) for number, event in part
        )
        message = PlacesOffered(campaign=published.campaign, draw=published.id, items=items)
        await published.uow.emit(message, derived_event_id(message.name, published.id, str(part[0][0])))


def _offer(
    published: PublishedDraw, number: int, event: PlaceEvent, secrets: NoticeSecrets, position: int | None
) -> PlaceOffer:
    entry = bytes.fromhex(event.entry)
    application_id, class_id = ApplicationId(str(uuid.UUID(bytes=entry))), ClassId(event.class_id)
    state = event.state or (PlaceState.OFFERED if event.move is Move.OFFERED else PlaceState.HELD)
    waits = state is PlaceState.WAITING
    return PlaceOffer(
        occasion=f"{published.id}-{number}",
        application_id=application_id,
        class_id=class_id,
        seats=event.seats,
        state=_STATES[state],
        position=position if waits else None,
        answer_by=event.answer_by,
        corrected=event.move is Move.CORRECTED,
        pass_code=secrets.code(published.campaign, published.id, application_id),
        class_pass=None if waits else secrets.text(published.campaign, entry, class_id, event.seats),
    )
