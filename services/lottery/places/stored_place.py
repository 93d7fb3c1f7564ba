"""Places and actors as they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.lottery.draw.rules.result import Result
from services.lottery.promotion.place_id import PlaceId, make_place_id
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import Place
from shared.codes import EntryId
from shared.contracts import SlipOutcome
from shared.ids import CampaignId, ClassId, DrawId, Receipt

_STATES: Final = {"won": PlaceState.HELD, "waiting": PlaceState.WAITING}


@dataclass(frozen=True)
class Actor:
    """Author of a move: a handler's id, `applicant` or `schedule`. `approval`: its number. Never published."""

    actor: str
    approval: str | None = None


@dataclass(frozen=True)
class StoredPlace:
    """A place with its owner. `why` and `gone_at`: the move that ended it, and its time.

    `reason`: code for which the class was passed over.
    """

    campaign: CampaignId
    draw: DrawId
    entry: EntryId
    class_id: ClassId
    receipt: Receipt
    place: Place
    why: Move | None = None
    gone_at: datetime | None = None
    reason: str | None = None

    @property
    def id(self) -> PlaceId:
        return make_place_id(self.entry, self.class_id)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "StoredPlace":
        """Read a document of the collection `places`."""
        state, why = PlaceState(document["state"]), document["why"]
        return cls(
            campaign=CampaignId(document["campaign"]),
            draw=DrawId(document["draw"]),
            entry=EntryId(document["entry"]),
            class_id=ClassId(document["class_id"]),
            receipt=Receipt(document["receipt"]),
            place=Place(document["seats"], state, document["position"], document["answer_by"]),
            why=None if why is None else Move(why),
            gone_at=document["gone_at"],
            reason=document["reason"],
        )

    def to_document(self) -> Mapping[str, Any]:
        """Return the document of a new place."""
        return {
            "_id": self.id,
            "campaign": self.campaign,
            "draw": self.draw,
            "entry": self.entry,
            "class_id": self.class_id,
            "seats": self.place.seats,
            "receipt": self.receipt,
            "state": self.place.state,
            "position": self.place.position,
            "answer_by": self.place.answer_by,
            "why": self.why,
            "gone_at": self.gone_at,
            "reason": self.reason,
            "revision": 0,
        }


def places_of_result(campaign: CampaignId, draw: DrawId, result: Result) -> list[StoredPlace]:
    """Return the places that a result gives."""
    return [
        StoredPlace(campaign, draw, result.entry, outcome.class_id, result.receipt, _place(outcome))
        for outcome in result.outcomes
        if outcome.outcome in _STATES
    ]


def _place(outcome: SlipOutcome) -> Place:
    return Place(outcome.seats, _STATES[outcome.outcome], outcome.position)
