"""Read what a further round would draw now: the free seats by class, and what an approver agrees to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.states import DrawState
from services.lottery.places.history_repository import HistoryRepository
from services.lottery.places.repository import PlaceRepository
from services.lottery.promotion.further_round import seats_to_draw
from services.lottery.promotion.states import TAKES_SEATS, PlaceState
from services.lottery.randomness.rounds import drawn_from
from services.lottery.rules import Scope
from shared.approvals.params import further_round_params
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.errors import KujiError
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

Obstacle = Literal["offers", "no-seats", "no-entries"]


class FurtherRoundImpossibleError(KujiError):
    """Raised when no further round can be opened now; `obstacle` says why."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(f"no further round: {obstacle}")
        self.obstacle: Obstacle = obstacle


@dataclass(frozen=True)
class FurtherSeats:
    """Places of a published draw, as far as a further round needs them.

    `free`: seats that it would draw, by class. `offers`: places that are still offered. `last_sha256`: hash of the last
    event of the history, which stands for all places.
    """

    draw: Draw
    free: Mapping[str, int]
    offers: int
    last_sha256: str
    scope: Scope

    @property
    def obstacle(self) -> Obstacle | None:
        """Why no further round can be opened now; None if one can."""
        if self.offers:
            return "offers"
        return None if self.free else "no-seats"

    def approval_params(self) -> JsonObject:
        """Return the parameters of an approval to open a further round over exactly these seats and places."""
        state = {"draw": self.draw.id, "last_event": self.last_sha256, "free": dict(self.free), "scope": self.scope}
        return further_round_params(self.draw.number, state, self.free, self.scope)


async def read_further_seats(
    at: Store | UnitOfWork, draw: Draw, campaign: Campaign, now: datetime
) -> FurtherSeats | None:
    """Return what a further round would draw from a published draw; None in any other state."""
    if draw.state is not DrawState.PUBLISHED or draw.is_erasing:
        return None
    counts = await PlaceRepository(at).count_by_state(draw.base)
    newest = await HistoryRepository(at).newest(draw.id)
    last = newest[0].event if newest else draw.history[-1]
    taken: dict[str, int] = {}
    for (class_id, state), (_, seats) in counts.items():
        taken[class_id] = taken.get(class_id, 0) + (seats if state in TAKES_SEATS else 0)
    rules = draw.manifest.classes
    free: Mapping[str, int] = {
        rule.id: rule.capacity + draw.places.extra.get(rule.id, 0) - taken.get(rule.id, 0) for rule in rules
    }
    waiting: Mapping[str, int] = {
        class_id: places for (class_id, state), (places, _) in counts.items() if state is PlaceState.WAITING
    }
    return FurtherSeats(
        draw=draw,
        free=seats_to_draw(rules, free, waiting, drawn_from(campaign, draw.number + 1, now)),
        offers=sum(places for (_, state), (places, _) in counts.items() if state is PlaceState.OFFERED),
        last_sha256=hashlib.sha256(canonical(last)).hexdigest(),
        scope=campaign.draw.further_round,
    )
