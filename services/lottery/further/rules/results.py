"""Results of a further round: what it changes for an entry, and all its outcomes after it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.lottery.draw.rules.result import Result
from services.lottery.places.present_outcomes import present_outcomes
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.further_round import end_waiting
from services.lottery.promotion.states import PlaceState
from services.lottery.promotion.waiting_list import Obstacle, Place, WaitingLists
from shared.contracts import FURTHER_ROUND, SlipOutcome
from shared.ids import ClassId


@dataclass(frozen=True)
class RoundResult:
    """Result of one entry. `won`: classes that it won in the round; `ended`: classes that it waits for no longer."""

    result: Result
    won: tuple[ClassId, ...]
    ended: tuple[tuple[ClassId, Obstacle], ...]


def merge_results(
    drawn: Result, before: Mapping[ClassId, StoredPlace], of_round: Sequence[SlipOutcome], lists: WaitingLists
) -> RoundResult:
    """Return the result of an entry after the round. `drawn`: before it, `before`: its places; `lists`: empty ones.

    Classes of the round have its outcomes; a class that was lost before and again keeps reason and rank of the draw. A
    class that the entry had not asked for comes last.
    """
    won = tuple(one.class_id for one in of_round if one.outcome == "won")
    ended = _ended(drawn.entry, before, of_round, lists) if won else ()
    lost = {one.class_id for one in drawn.outcomes if one.outcome == "lost"}
    changed = {one.class_id: _with_reason(one) for one in of_round if one.outcome != "lost" or one.class_id not in lost}
    changed |= {name: _no_longer(before[name], obstacle) for name, obstacle in ended}
    known = [changed.pop(one.class_id, one) for one in present_outcomes(drawn.outcomes, before)]
    return RoundResult(Result(drawn.entry, drawn.receipt, drawn.token, (*known, *changed.values())), won, ended)


def _ended(
    entry: str, before: Mapping[ClassId, StoredPlace], of_round: Sequence[SlipOutcome], lists: WaitingLists
) -> tuple[tuple[ClassId, Obstacle], ...]:
    for stored in before.values():
        lists.put(entry, stored.class_id, stored.place)
    for one in of_round:
        if one.outcome == "won":
            lists.put(entry, one.class_id, Place(one.seats, PlaceState.HELD))
        elif one.outcome == "waiting":
            lists.put(entry, one.class_id, Place(one.seats, PlaceState.WAITING, one.position))
    return tuple((ClassId(name), obstacle) for _, name, obstacle in end_waiting(lists, [entry]))


def _with_reason(outcome: SlipOutcome) -> SlipOutcome:
    return outcome.model_copy(update={"reason": FURTHER_ROUND}) if outcome.outcome == "won" else outcome


def _no_longer(stored: StoredPlace, obstacle: Obstacle) -> SlipOutcome:
    return SlipOutcome(class_id=stored.class_id, outcome="lost", seats=stored.place.seats, reason=obstacle)
