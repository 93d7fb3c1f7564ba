"""From a result to what each applicant is told: exactly one outcome per application and class asked for. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from services.lottery.allocation.allocator import Allocation
from services.lottery.allocation.tickets import Positions
from shared.contracts import ClassPass, Outcome, Result
from shared.ids import ApplicationId, ClassId, application_id_bytes

PassCodes = Callable[[ApplicationId], str]
Passes = Callable[[bytes, ClassId, int], str]
"""The pass of an entry for a class and so many seats."""


class Outcomes:
    """Outcomes by the entry's position in the frozen list."""

    def __init__(self, allocation: Allocation, pass_codes: PassCodes, passes: Passes) -> None:
        self._allocation, self._pass_codes, self._passes = allocation, pass_codes, passes
        self._won = {name: frozenset(won.tolist()) for name, won in allocation.winners.items()}
        self._waits = {name: _places(waits) for name, waits in allocation.waiting.items()}

    def results(self, start: int, documents: Sequence[Mapping[str, Any]]) -> list[Result]:
        """One result for each of the ledger's entries; the first of them stands at `start` in the frozen list."""
        return [self._result(start + at, document) for at, document in enumerate(documents)]

    def _result(self, position: int, document: Mapping[str, Any]) -> Result:
        application_id, entry = document["_id"], application_id_bytes(document["_id"])
        outcomes = tuple(self._outcomes(position, document))
        has_code = any(outcome.outcome in {"won", "waiting"} for outcome in outcomes)
        return Result(
            application_id=application_id,
            receipt=document["receipt"],
            token=document["token"],
            pass_code=self._pass_codes(application_id) if has_code else None,
            passes=tuple(
                ClassPass(class_id=each.class_id, code=self._passes(entry, each.class_id, each.seats))
                for each in outcomes
                if each.outcome == "won"
            ),
            outcomes=outcomes,
        )

    def _outcomes(self, position: int, document: Mapping[str, Any]) -> Iterator[Outcome]:
        for choice in document["choices"]:
            yield self._drawn(position, ClassId(choice["class_id"]), int(choice["seats"]))
        for refusal in document["refused"]:
            yield Outcome(class_id=refusal["class_id"], outcome="refused", seats=1, reason=refusal["reason"])

    def _drawn(self, position: int, name: ClassId, seats: int) -> Outcome:
        if position in self._won[name]:
            return Outcome(class_id=name, outcome="won", seats=seats)
        if position in self._waits[name]:
            return Outcome(class_id=name, outcome="waiting", seats=seats, position=self._waits[name][position])
        return Outcome(class_id=name, outcome="lost", seats=seats, reason=self._allocation.lost(position, name))


def _places(waiting: Positions) -> dict[int, int]:
    return {position: place for place, position in enumerate(waiting.tolist(), 1)}
