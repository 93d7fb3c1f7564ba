"""Compute the outcomes of an application as they are now, from the draw's outcomes and its places. Pure."""

from collections.abc import Mapping, Sequence

from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.states import Move, PlaceState
from shared.contracts import FURTHER_ROUND, SlipOutcome
from shared.ids import ClassId


def present_outcomes(drawn: Sequence[SlipOutcome], places: Mapping[ClassId, StoredPlace]) -> tuple[SlipOutcome, ...]:
    """Return one outcome for each class of the draw's outcomes; a class without a place keeps its outcome."""
    return tuple(_present(outcome, places.get(outcome.class_id)) for outcome in drawn)


def _present(drawn: SlipOutcome, stored: StoredPlace | None) -> SlipOutcome:
    if stored is None:
        return drawn
    class_id, seats, rank, of = drawn.class_id, stored.place.seats, drawn.rank, drawn.of
    match stored.place.state:
        case PlaceState.HELD:
            reason = FURTHER_ROUND if drawn.reason == FURTHER_ROUND else None
            return SlipOutcome(class_id=class_id, outcome="won", seats=seats, rank=rank, of=of, reason=reason)
        case PlaceState.WAITING:
            position = stored.place.position
            return SlipOutcome(class_id=class_id, outcome="waiting", seats=seats, position=position, rank=rank, of=of)
        case PlaceState.OFFERED:
            until = stored.place.answer_by and stored.place.answer_by.isoformat()
            return SlipOutcome(class_id=class_id, outcome="offered", seats=seats, answer_by=until, rank=rank, of=of)
        case PlaceState.GONE if stored.why is Move.PASSED_OVER:
            return SlipOutcome(class_id=class_id, outcome="lost", seats=seats, reason=stored.reason, rank=rank, of=of)
        case PlaceState.GONE:
            return SlipOutcome(class_id=class_id, outcome="gone", seats=seats, reason=stored.why, rank=rank, of=of)
